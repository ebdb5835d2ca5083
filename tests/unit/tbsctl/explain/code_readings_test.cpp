#include "client/tbsctl/explain/code_readings.h"

#include <cerrno>

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

#include "tests/support/catch2.h"

using namespace tbs::ctl;
using Codes = std::vector<FamilyCode>;

namespace {

Codes read(std::string_view text) {
  const auto codes = read_code(text);
  CAPTURE(text);
  REQUIRE(codes.has_value());
  return *codes;
}

constexpr FamilyCode tpm20(std::uint32_t code) {
  return {CodeFamily::Tpm20, code};
}
constexpr FamilyCode tpm12(std::uint32_t code) {
  return {CodeFamily::Tpm12, code};
}
constexpr FamilyCode error(std::uint32_t code) {
  return {CodeFamily::System, code};
}

}  // namespace

TEST_CASE("a number is read in every way that is in the tables", "[tbsctl][explain]") {
  CHECK(read("0x922") == Codes{tpm20(0x922)});
  CHECK(read("0X9A2") == Codes{tpm20(0x9A2)});
  CHECK(read("9a2") == Codes{tpm20(0x9A2)});
  CHECK(read("922") == Codes{tpm20(0x922), tpm20(922)});
  CHECK(read("2338") == Codes{tpm20(2338)});
  CHECK(read("0x3E") == Codes{tpm12(0x3E)});
  CHECK(read("62") == Codes{tpm12(0x62), tpm12(62), error(ETIME)});
  CHECK(read("-62") == Codes{error(ETIME)});
  CHECK(read("0xFFFFFFC2") == Codes{error(ETIME)});
  CHECK(read("4294967234") == Codes{error(ETIME)});
  CHECK(read("0x80280400") == Codes{{CodeFamily::Tbs, 0x80280400}});
  CHECK(read("80280400") == Codes{{CodeFamily::Tbs, 0x80280400}});
  CHECK(read("0xA000A") == Codes{tpm20(TSS2_TCTI_RC_IO_ERROR)});
  CHECK(read("0") == Codes{tpm20(0), tpm12(0), {CodeFamily::Tbs, 0}});
  CHECK(read("0x801") == Codes{tpm12(0x801)});
}

TEST_CASE("a number that no table has is none, a word that is nothing is refused",
          "[tbsctl][explain]") {
  CHECK(read("0x9FF").empty());
  CHECK(read("0xFFFF0000").empty());
  CHECK(read("-9999").empty());
  CHECK(read("0x80284099").empty());
  CHECK_FALSE(read_code("").has_value());
  CHECK_FALSE(read_code("0x").has_value());
  CHECK_FALSE(read_code("-").has_value());
  CHECK_FALSE(read_code("0x123456789").has_value());
  const auto like = read_code("TPM_RC_LOCKOU");
  REQUIRE_FALSE(like.has_value());
  CHECK(like.error().find("did you mean TPM_RC_LOCKOUT?") != std::string::npos);
}

TEST_CASE("a code is told with its layer, its place and what to do", "[tbsctl][explain]") {
  const CodeReading value = explain_code(tpm20(0x2C4));
  CHECK(value.name == "TPM_RC_VALUE");
  CHECK(value.layer == "the TPM");
  CHECK(value.where == "parameter 2");
  CHECK_FALSE(value.cause.empty());
  CHECK_FALSE(value.advice.empty());
  CHECK(value.tss.starts_with("tpm:parameter(2)"));
  const CodeReading layered = explain_code(tpm20(TSS2_TCTI_RC_IO_ERROR));
  CHECK(layered.layer == "the TCTI layer");
  CHECK(layered.tss.starts_with("tcti:"));
  const CodeReading managed = explain_code(tpm20(TSS2_RESMGR_TPM_RC_LAYER + 0x18B));
  CHECK(managed.layer == "the resource manager layer");
  CHECK(managed.name == "TPM_RC_HANDLE");
  CHECK(managed.where == "handle 1");
  const CodeReading old = explain_code(tpm12(1));
  CHECK(old.name == "TPM_AUTHFAIL");
  CHECK(old.tss.empty());
  const CodeReading busy = explain_code(error(EBUSY));
  CHECK(busy.name == "EBUSY");
  CHECK_FALSE(busy.advice.empty());
}

TEST_CASE("with the command, handles, sessions and parameters have names", "[tbsctl][explain]") {
  CHECK(explain_code(tpm20(0x2C4), TPM2_CC_Create).where == "parameter 2 (inPublic)");
  CHECK(explain_code(tpm20(TPM2_RC_HANDLE + TPM2_RC_H + TPM2_RC_1), TPM2_CC_Create).where ==
        "handle 1 (parentHandle)");
  CHECK(explain_code(tpm20(TPM2_RC_AUTH_FAIL + TPM2_RC_S + TPM2_RC_1), TPM2_CC_NV_Read).where ==
        "session 1 (authHandle)");
  // There is no such parameter, handle or command.
  CHECK(explain_code(tpm20(0xFC4 | TPM2_RC_P), TPM2_CC_Create).where == "parameter 15");
  CHECK(explain_code(tpm20(TPM2_RC_HANDLE + TPM2_RC_7), TPM2_CC_Create).where == "handle 7");
  CHECK(explain_code(tpm20(0x2C4), 1).where == "parameter 2");
}

TEST_CASE("every way to read every small number has words", "[tbsctl][explain]") {
  std::size_t readings = 0;
  for (std::uint32_t number = 0; number < 0x1000; ++number) {
    for (const bool decimal : {false, true}) {
      for (const FamilyCode& code : codes_numbered(number, decimal)) {
        const CodeReading reading = explain_code(code);
        CAPTURE(number);
        REQUIRE_FALSE(reading.name.empty());
        REQUIRE(reading.name != "unknown code");
        REQUIRE_FALSE(reading.text.empty());
        ++readings;
      }
    }
  }
  CHECK(readings > 3000);
}
