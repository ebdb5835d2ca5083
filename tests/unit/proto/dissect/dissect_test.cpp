#include "proto/dissect/dissect.h"

#include <algorithm>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/structures.h"
#include "proto/tpm12/command_builder.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::dissect;
using proto::Buffer;

namespace {

const Field& field_of(const Dissection& message, std::string_view name) {
  const auto field = std::ranges::find(message.fields, name, &Field::name);
  CAPTURE(name);
  REQUIRE(field != message.fields.end());
  return *field;
}

bool has_field(const Dissection& message, std::string_view name) {
  return std::ranges::find(message.fields, name, &Field::name) != message.fields.end();
}

std::string fault_of(const Dissection& message) {
  return message.faults.empty() ? "" : message.faults.front().text;
}

// One TPMS_AUTH_COMMAND.
Buffer session(std::uint32_t handle, std::uint8_t attributes, std::size_t hmac) {
  TPMS_AUTH_COMMAND command{};
  command.sessionHandle = handle;
  command.sessionAttributes = attributes;
  command.hmac.size = static_cast<std::uint16_t>(hmac);
  return tpm::marshal(command);
}

Buffer cut(Buffer bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}

// The size in the header is made that of the bytes.
Buffer with_size(Buffer bytes) {
  for (unsigned i = 0; i < 4; ++i) {
    bytes[2 + i] = static_cast<std::uint8_t>(bytes.size() >> (24 - 8 * i));
  }
  return bytes;
}

}  // namespace

TEST_CASE("a command is taken apart by its schema", "[dissect]") {
  const Dissection message = dissect_command(tpm::build::get_random(16));
  CHECK(message.command == "TPM2_GetRandom");
  CHECK(message.family == Dissection::Family::Tpm20);
  CHECK(message.code == TPM2_CC_GetRandom);
  CHECK(message.faults.empty());
  CHECK(field_of(message, "commandCode").text == "TPM2_GetRandom");
  const Field& requested = field_of(message, "bytesRequested");
  CHECK(requested.offset == 10);
  CHECK(requested.size == 2);
  CHECK(requested.text == "16");
}

TEST_CASE("a session is told with its attributes and what it is for", "[dissect]") {
  const Buffer command =
      tpm::CommandBuilder(TPM2_CC_Unseal)
          .handle(0x80000001)
          .authorization(session(TPM2_RH_PW, 0, 8))
          .authorization(
              session(0x02000003, TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT, 32))
          .finish();
  const Dissection message = dissect_command(command);
  CHECK(message.faults.empty());
  CHECK(field_of(message, "itemHandle").text == "transient object 0x80000001");
  const Field& first = field_of(message, "sessionHandle");
  CHECK(first.text == "TPM_RS_PW, a password; authorizes itemHandle");
  CHECK(field_of(message, "password").secret);
  CHECK(field_of(message, "hmac").secret);
  CHECK(field_of(message, "hmac").text.empty());
  const auto second = std::ranges::find_if(message.fields, [](const Field& field) {
    return field.text.starts_with("HMAC session 0x02000003");
  });
  REQUIRE(second != message.fields.end());
  CHECK(second->text.find("authorizes nothing") != std::string::npos);
}

TEST_CASE("what is secret is marked, and not put into words", "[dissect]") {
  TPM2B_SENSITIVE_CREATE sensitive{};
  sensitive.sensitive.userAuth = *tpm::sized<TPM2B_AUTH>(Buffer{'p', 'w'});
  sensitive.sensitive.data = *tpm::sized<TPM2B_SENSITIVE_DATA>(Buffer(20, 0x55));
  TPM2B_PUBLIC area{};
  area.publicArea.type = TPM2_ALG_KEYEDHASH;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM;
  area.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  const Buffer command = tpm::CommandBuilder(TPM2_CC_Create)
                             .handle(0x81000001)
                             .authorization(tpm::password_authorization())
                             .bytes(tpm::marshal(sensitive))
                             .bytes(tpm::marshal(area))
                             .bytes(tpm::marshal(TPM2B_DATA{}))
                             .bytes(tpm::marshal(TPML_PCR_SELECTION{}))
                             .finish();
  const Dissection message = dissect_command(command);
  CHECK(message.faults.empty());
  CHECK(field_of(message, "userAuth").secret);
  CHECK(field_of(message, "data").secret);
  CHECK(field_of(message, "data").size == 20);
  CHECK(field_of(message, "parentHandle").text == "persistent object 0x81000001");
  CHECK(field_of(message, "type").text == "TPM_ALG_KEYEDHASH");
  CHECK(field_of(message, "objectAttributes").text == "fixedTPM, userWithAuth");
  CHECK_FALSE(field_of(message, "objectAttributes").secret);
}

TEST_CASE("a parameter that a session encrypts is not taken for plain", "[dissect]") {
  const Buffer command = tpm::CommandBuilder(TPM2_CC_StirRandom)
                             .authorization(session(0x02000000, TPMA_SESSION_DECRYPT, 32))
                             .sized(Buffer(7, 0xAA))
                             .finish();
  const Dissection message = dissect_command(command);
  CHECK(message.faults.empty());
  const Field& data = field_of(message, "inData");
  CHECK(data.text == "encrypted by a session");
  CHECK_FALSE(data.secret);
  CHECK(data.size == 7);
}

TEST_CASE("a response needs its command", "[dissect]") {
  const Buffer parameters = {0, 4, 1, 2, 3, 4};
  const Buffer response = proto::tpm_response(TPM2_ST_NO_SESSIONS, 0, parameters);
  const Dissection known = dissect_response(response, TPM2_CC_GetRandom);
  CHECK(known.faults.empty());
  CHECK(known.command == "TPM2_GetRandom");
  CHECK(field_of(known, "randomBytes").secret);
  const Dissection unknown = dissect_response(response, 0);
  CHECK(unknown.faults.empty());
  CHECK(field_of(unknown, "body").secret);
  CHECK(field_of(unknown, "body").size == parameters.size());
  CHECK_FALSE(has_field(unknown, "randomBytes"));
}

TEST_CASE("a response with sessions has its parameters in front of them", "[dissect]") {
  Buffer parameters = {0, 0, 0, 4, 0, 2, 0xAA, 0xBB};
  const Buffer auth = {0, 0, TPMA_SESSION_ENCRYPT, 0, 1, 0x77};
  parameters.insert(parameters.end(), auth.begin(), auth.end());
  const Buffer response = proto::tpm_response(TPM2_ST_SESSIONS, 0, parameters);
  const Dissection message = dissect_response(response, TPM2_CC_Unseal);
  CHECK(message.faults.empty());
  CHECK(field_of(message, "outData").text == "encrypted by a session");
  CHECK(field_of(message, "hmac").secret);
  CHECK(field_of(message, "parameterSize").size == 4);
}

TEST_CASE("an error is a header alone", "[dissect]") {
  const Buffer response = proto::tpm_error_response(TPM2_ST_NO_SESSIONS, TPM2_RC_LOCKOUT);
  CHECK(dissect_response(response, TPM2_CC_Create).faults.empty());
  Buffer longer = response;
  longer.push_back(0);
  const Dissection message = dissect_response(with_size(longer), TPM2_CC_Create);
  REQUIRE(message.faults.size() == 1);
  CHECK(message.faults.front().offset == 10);
}

TEST_CASE("faults say where, and what is wrong", "[dissect]") {
  const Buffer command = tpm::build::get_random(16);
  const Dissection missing = dissect_command(cut(command, 11));
  REQUIRE(missing.faults.size() == 2);
  CHECK(missing.faults[0].offset == 2);
  CHECK(missing.faults[0].text == "the header says 12 bytes, but there are 11: 1 is missing");
  CHECK(missing.faults[1].offset == 10);
  CHECK(missing.faults[1].text == "bytesRequested takes 2 bytes, but the message ends after 1");
  const Dissection cut_off = dissect_command(with_size(cut(command, 11)));
  REQUIRE(cut_off.faults.size() == 1);
  CHECK(cut_off.faults[0].offset == 10);

  Buffer longer = command;
  longer.push_back(0);
  CHECK(fault_of(dissect_command(with_size(longer))) ==
        "the command should end here, but 1 byte follows");
  CHECK(fault_of(dissect_command(Buffer{0x80})) ==
        "tag takes 2 bytes, but the message ends after 1");
  CHECK(fault_of(dissect_command(Buffer{})) == "tag takes 2 bytes, but the message ends after 0");
  Buffer tagged = command;
  tagged[1] = 7;
  CHECK(fault_of(dissect_command(tagged)).starts_with("the tag 0x8007 is none"));
  CHECK(
      fault_of(dissect_command(tpm::CommandBuilder(TPM2_CC_Clear).handle(TPM2_RH_LOCKOUT).finish()))
          .find("TPM_RC_AUTH_MISSING") != std::string::npos);
}

TEST_CASE("a part that is longer than what it is in is told", "[dissect]") {
  // The size of the authorization area, and a nonce that goes past its end.
  Buffer auth = session(0x02000000, 0, 0);
  auth[5] = 200;
  const Buffer command =
      tpm::CommandBuilder(TPM2_CC_Unseal).handle(0x80000000).authorization(auth).finish();
  const Dissection message = dissect_command(command);
  REQUIRE(message.faults.size() == 1);
  CHECK(message.faults[0].offset == 24);
  CHECK(message.faults[0].text == "nonceCaller takes 200 bytes, but the message ends after 3");
  const Buffer four = tpm::CommandBuilder(TPM2_CC_Unseal)
                          .handle(0x80000000)
                          .authorization(tpm::password_authorization())
                          .authorization(tpm::password_authorization())
                          .authorization(tpm::password_authorization())
                          .authorization(tpm::password_authorization())
                          .finish();
  CHECK(fault_of(dissect_command(four)) == "a command has three sessions at most");
}

TEST_CASE("what tss2-mu does not take is told", "[dissect]") {
  const Buffer command =
      tpm::CommandBuilder(TPM2_CC_PolicyCpHash).handle(0x03000000).sized(Buffer(100, 0)).finish();
  const Dissection message = dissect_command(command);
  REQUIRE(message.faults.size() == 1);
  CHECK(message.faults[0].offset == 14);
  CHECK(message.faults[0].text.find("tss2-mu") != std::string::npos);
}

TEST_CASE("commands that nobody knows are left as they are, and count as secret", "[dissect]") {
  const Buffer vendor = tpm::CommandBuilder(TPMA_CC_V | 7U).u32(1).finish();
  const Dissection message = dissect_command(vendor);
  CHECK(message.faults.empty());
  CHECK(message.command.empty());
  CHECK(field_of(message, "body").secret);
  CHECK(field_of(message, "commandCode").text == "a command of the maker of the TPM");
}

TEST_CASE("TPM 1.2: header, handles, parameters and sessions", "[dissect]") {
  const Dissection read = dissect_command(tpm12::build::pcr_read(7));
  CHECK(read.family == Dissection::Family::Tpm12);
  CHECK(read.command == "TPM_PCRRead");
  CHECK(read.faults.empty());
  CHECK(field_of(read, "pcrIndex").text == "7");

  Buffer session(tpm12::kCommandAuthSize, 0);
  session[24] = 1;
  const Buffer quote = tpm12::CommandBuilder(tpm12::ord::kQuote)
                           .handle(0x40000000)
                           .bytes(Buffer(30, 1))
                           .authorization(session)
                           .finish();
  const Dissection message = dissect_command(quote);
  CHECK(message.faults.empty());
  CHECK(field_of(message, "keyHandle").text == "the storage root key");
  CHECK(field_of(message, "parameters").secret);
  CHECK(field_of(message, "parameters").size == 30);
  CHECK(field_of(message, "continueAuthSession").text == "the session goes on after the command");
  CHECK(field_of(message, "hmac").secret);

  const Buffer short_one = with_size(cut(quote, 40));
  CHECK(fault_of(dissect_command(short_one)) ==
        "1 authorization session takes 45 bytes, but 26 are left");
  Buffer wrong = quote;
  wrong[1] = 0xC5;
  CHECK(fault_of(dissect_command(wrong)) == "the tag is that of a response");
}

TEST_CASE("TPM 1.2: responses", "[dissect]") {
  Buffer parameters = {0, 0, 0, 2, 9, 9};
  const Buffer response = proto::tpm_response(tpm12::kTagResponse, 0, parameters);
  const Dissection random = dissect_response(response, tpm12::ord::kGetRandom);
  CHECK(random.faults.empty());
  CHECK(random.command == "TPM_GetRandom");
  CHECK(field_of(random, "randomBytes").secret);
  parameters[3] = 3;
  CHECK(fault_of(dissect_response(proto::tpm_response(tpm12::kTagResponse, 0, parameters),
                                  tpm12::ord::kGetRandom)) ==
        "randomBytesSize says 3 bytes, but there are 2");
  const Buffer error = proto::tpm_error_response(tpm12::kTagResponse, 1);
  CHECK(dissect_response(error, tpm12::ord::kSeal).faults.empty());
}
