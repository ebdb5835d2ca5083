#include "daemon/policy/ignored_command.h"

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/tpm_message.h"

using namespace tbs;
using namespace tbs::policy;
using proto::Buffer;
using test::message;

namespace {

std::optional<std::uint32_t> answer(Family family, const Buffer& bytes) {
  const auto response =
      answer_to_ignored(*test::client_command({.family = family, .bytes = bytes}));
  if (!response) return std::nullopt;
  CHECK(response->size() == proto::kTpmHeaderSize);
  const auto header = proto::read_tpm_header(*response).value();
  CHECK(header.tag == (family == Family::Tpm12 ? tpm12::kTagResponse : tpm::kTagNoSessions));
  return header.code;
}

std::optional<std::uint32_t> answer20(std::uint16_t tag, std::uint32_t code, const Buffer& body) {
  return answer(Family::Tpm20, message(tag, code, body));
}
std::optional<std::uint32_t> answer12(std::uint16_t tag, std::uint32_t code, const Buffer& body) {
  return answer(Family::Tpm12, message(tag, code, body));
}

}  // namespace

TEST_CASE("a TPM 2.0 that was started says so, whatever follows the tag", "[policy][ignored]") {
  for (const Buffer& body : {Buffer{0, 0}, Buffer{0, 1}, Buffer{0, 2}, Buffer{}, Buffer(40)}) {
    CHECK(answer20(tpm::kTagNoSessions, tpm::cc::kStartup, body) == tpm::rc::kInitialize);
    CHECK(answer20(tpm::kTagSessions, tpm::cc::kStartup, body) == tpm::rc::kInitialize);
    CHECK(answer20(tpm12::kTagCommand, tpm::cc::kStartup, body) == tpm::rc::kValue);
  }
}

TEST_CASE("a Shutdown is done, or wrong as the TPM says it", "[policy][ignored]") {
  const auto shutdown = [](const Buffer& body) {
    return answer20(tpm::kTagNoSessions, tpm::cc::kShutdown, body);
  };
  CHECK(shutdown({0, 0}) == tpm::rc::kSuccess);
  CHECK(shutdown({0, 1}) == tpm::rc::kSuccess);
  CHECK(shutdown({0, 2}) == tpm::at_parameter(tpm::rc::kValue, 1));
  CHECK(shutdown({1, 0}) == tpm::at_parameter(tpm::rc::kValue, 1));
  CHECK(shutdown({0, 2, 0}) == tpm::at_parameter(tpm::rc::kValue, 1));
  CHECK(shutdown({}) == tpm::at_parameter(tpm::rc::kInsufficient, 1));
  CHECK(shutdown({0}) == tpm::at_parameter(tpm::rc::kInsufficient, 1));
  CHECK(shutdown({0, 0, 0}) == tpm::rc::kSize);
  CHECK(answer20(0, tpm::cc::kShutdown, {0, 0}) == tpm::rc::kValue);
}

TEST_CASE("what a session would sign is left to the TPM", "[policy][ignored]") {
  const auto shutdown = [](const Buffer& body) {
    return answer20(tpm::kTagSessions, tpm::cc::kShutdown, body);
  };
  CHECK(shutdown({}) == tpm::rc::kInsufficient);
  CHECK(shutdown({0, 0, 0}) == tpm::rc::kInsufficient);
  CHECK(shutdown({0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}) == tpm::rc::kSize);
  CHECK(shutdown({0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}) == tpm::rc::kSize);
  CHECK_FALSE(shutdown({0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).has_value());
}

TEST_CASE("a TPM 1.2 that was started answers in its own words", "[policy][ignored]") {
  namespace ord = tpm12::ord;
  CHECK(answer12(tpm12::kTagCommand, ord::kStartup, {0, 1}) == tpm12::rc::kInvalidPostInit);
  CHECK(answer12(tpm12::kTagCommand, ord::kStartup, {0, 9}) == tpm12::rc::kInvalidPostInit);
  CHECK(answer12(tpm12::kTagCommand, ord::kStartup, {0}) == tpm12::rc::kBadParamSize);
  CHECK(answer12(tpm12::kTagAuth1Command, ord::kStartup, {0}) == tpm12::rc::kBadParamSize);
  CHECK(answer12(tpm12::kTagCommand, ord::kStartup, {0, 1, 0}) == tpm12::rc::kBadParamSize);
  CHECK(answer12(tpm12::kTagAuth1Command, ord::kStartup, {0, 1, 0}) == tpm12::rc::kBadTag);
  CHECK(answer12(tpm12::kTagCommand, ord::kSaveState, {}) == tpm12::rc::kSuccess);
  CHECK(answer12(tpm12::kTagCommand, ord::kSaveState, {0}) == tpm12::rc::kBadParamSize);
  CHECK(answer12(tpm12::kTagAuth2Command, ord::kSaveState, {0}) == tpm12::rc::kBadTag);
}

TEST_CASE("nothing else is answered here, and each family has its own commands",
          "[policy][ignored]") {
  CHECK_FALSE(answer20(tpm::kTagNoSessions, tpm::cc::kGetRandom, {0, 8}).has_value());
  CHECK_FALSE(answer20(tpm::kTagNoSessions, tpm12::ord::kStartup, {0, 1}).has_value());
  CHECK_FALSE(answer12(tpm12::kTagCommand, tpm::cc::kStartup, {0, 1}).has_value());
  CHECK_FALSE(answer12(tpm12::kTagCommand, tpm12::ord::kInit, {}).has_value());
}
