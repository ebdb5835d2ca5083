#include "client/tbsctl/explain/explain_report.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/hex.h"
#include "proto/dissect/dissect.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::ctl;
using proto::Buffer;

namespace {

const Buffer kPasswordCommand =
    *parse_hex("8002 00000020 0000015e 80000001 0000000e 40000009 0000 00 0005 7365637265");

std::string shown(const Buffer& bytes, bool secrets) {
  std::ostringstream out;
  print_message(out, bytes, dissect::dissect_command(bytes), secrets);
  return out.str();
}

}  // namespace

TEST_CASE("a password is shown to who asks for secrets alone", "[tbsctl][explain]") {
  const std::string masked = shown(kPasswordCommand, false);
  CHECK(masked.starts_with("TPM2_Unseal, a command of TPM 2.0, 32 bytes\n"));
  CHECK(masked.find("(5 bytes, masked)") != std::string::npos);
  CHECK(masked.find("7365637265") == std::string::npos);
  const std::string open = shown(kPasswordCommand, true);
  CHECK(open.find("7365637265") != std::string::npos);
  CHECK(open.find("masked") == std::string::npos);

  const auto message = dissect::dissect_command(kPasswordCommand);
  CHECK(message.faults.empty());
  const auto json = message_as_json(kPasswordCommand, message, false);
  CHECK(json["kind"] == "command");
  CHECK(json["command"] == "TPM2_Unseal");
  CHECK(json["faults"].empty());
  const auto password = json["fields"].back();
  CHECK(password["name"] == "password");
  CHECK(password["secret"] == true);
  CHECK(password["value"].is_null());
  CHECK(message_as_json(kPasswordCommand, message, true)["fields"].back()["value"] == "7365637265");
}

TEST_CASE("fields are a table, the parts of a structure indented", "[tbsctl][explain]") {
  const std::string text = shown(*parse_hex("80010000000c0000017b0010"), false);
  CHECK(text ==
        "TPM2_GetRandom, a command of TPM 2.0, 12 bytes\n"
        "BYTE  FIELD           VALUE     MEANING\n"
        "   0  tag             8001      TPM_ST_NO_SESSIONS: no authorization area\n"
        "   2  commandSize     0000000c  12 bytes\n"
        "   6  commandCode     0000017b  TPM2_GetRandom\n"
        "  10  bytesRequested  0010      16\n");
  const std::string nested = shown(kPasswordCommand, false);
  CHECK(nested.find("\n  18  session ") != std::string::npos);
  CHECK(nested.find("\n  18    sessionHandle ") != std::string::npos);
}

TEST_CASE("a code is told in lines, and as JSON", "[tbsctl][explain]") {
  const CodeReading reading = explain_code({CodeFamily::Tpm20, 0x2C4});
  std::ostringstream out;
  print_code(out, reading);
  CHECK(out.str().starts_with("TPM_RC_VALUE (0x000002C4), TPM 2.0\n"));
  CHECK(out.str().find("About:          parameter 2\n") != std::string::npos);
  CHECK(out.str().find("What to do:") != std::string::npos);
  const auto json = code_as_json(reading);
  CHECK(json["kind"] == "code");
  CHECK(json["code"] == 0x2C4);
  CHECK(json["where"] == "parameter 2");
  std::ostringstream error;
  print_code(error, explain_code({CodeFamily::System, 16}));
  CHECK(error.str().starts_with("EBUSY (16), system\n"));
}
