#include "client/command_check.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using client::check_command;
using proto::Status;

namespace {

const proto::HelloReply kTerms{.max_command = 4096};

Status check(proto::Bytes command) {
  return check_command(command, true, 4096, kTerms);
}

}  // namespace

TEST_CASE("a whole command with room for its response passes", "[client][check]") {
  REQUIRE(check(test::tpm_message(tpm::cc::kGetRandom, 10)) == Status::Success);
  REQUIRE(check(test::tpm_message(tpm::cc::kGetRandom, 4096)) == Status::Success);
}

TEST_CASE("a command that is none is a bad parameter", "[client][check]") {
  REQUIRE(check({}) == Status::BadParameter);
  const auto command = test::tpm_message(tpm::cc::kGetRandom, 12);
  REQUIRE(check(proto::Bytes(command).first(9)) == Status::BadParameter);
  REQUIRE(check(proto::Bytes(command).first(11)) == Status::BadParameter);
  const proto::Bytes no_memory(static_cast<const std::uint8_t*>(nullptr), 0);
  REQUIRE(check(no_memory) == Status::BadParameter);
}

TEST_CASE("sizes above the limits are too large", "[client][check]") {
  REQUIRE(check(test::tpm_message(tpm::cc::kGetRandom, 4097)) == Status::BufferTooLarge);
  REQUIRE(check(proto::Buffer(TBS_IN_OUT_BUF_SIZE_MAX + 1)) == Status::BufferTooLarge);
  const auto command = test::tpm_message(tpm::cc::kGetRandom);
  REQUIRE(check_command(command, true, TBS_IN_OUT_BUF_SIZE_MAX, kTerms) == Status::Success);
  REQUIRE(check_command(command, true, TBS_IN_OUT_BUF_SIZE_MAX + 1, kTerms) ==
          Status::BufferTooLarge);
}

TEST_CASE("no terms allow more than a frame holds", "[client][check]") {
  const proto::HelloReply generous{.max_command = 1U << 20};
  REQUIRE(check_command(test::tpm_message(1, proto::kMaxTpmMessage), true, 10, generous) ==
          Status::Success);
  REQUIRE(check_command(test::tpm_message(1, proto::kMaxTpmMessage + 1), true, 10, generous) ==
          Status::BufferTooLarge);
}

TEST_CASE("the order of the checks is that of Windows", "[client][check]") {
  const proto::Buffer huge(TBS_IN_OUT_BUF_SIZE_MAX + 1);
  REQUIRE(check_command({}, false, 0, kTerms) == Status::BadParameter);
  REQUIRE(check_command(huge, false, 0, kTerms) == Status::InvalidOutputPointer);
  REQUIRE(check_command(huge, true, 0, kTerms) == Status::BufferTooLarge);
}
