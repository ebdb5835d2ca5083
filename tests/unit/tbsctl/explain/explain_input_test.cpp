#include "client/tbsctl/explain/explain_input.h"

#include "client/tbsctl/text/hex.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::ctl;
using dissect::Dissection;
using proto::Buffer;

namespace {

bool is_message(const std::string& text) {
  const auto input = read_explain_input(text);
  CAPTURE(text);
  REQUIRE(input.has_value());
  return std::holds_alternative<Buffer>(*input);
}

std::vector<Dissection> readings_of(const std::string& hex, const std::string& command = "") {
  auto readings = dissect_bytes(*parse_hex(hex), command);
  REQUIRE(readings.has_value());
  return *std::move(readings);
}

}  // namespace

TEST_CASE("short words are codes, long ones and several words are bytes", "[tbsctl][explain]") {
  CHECK_FALSE(is_message("0x922"));
  CHECK_FALSE(is_message("TPM_RC_LOCKOUT"));
  CHECK_FALSE(is_message("80280400"));
  CHECK_FALSE(is_message("4294967234"));
  CHECK_FALSE(is_message(" EBUSY\n"));
  CHECK(is_message("80010000000c0000017b0010"));
  CHECK(is_message("0x80010000000c0000017b0010"));
  CHECK(is_message("80 01 00 00 00 0c 00 00 01 7b 00 10"));
  CHECK(is_message("0x80, 0x01,\n0x00"));
  CHECK(is_message("80:01"));
  CHECK(is_message("800100000a"));
  CHECK(read_explain_input("").error().exit == Exit::Usage);
  CHECK(read_explain_input("  \n").error().exit == Exit::Usage);
  CHECK(read_explain_input("80 01 0").error().exit == Exit::Usage);
  CHECK(read_explain_input("no such thing").error().exit == Exit::Usage);
}

TEST_CASE("bytes are a command or a response by what they say", "[tbsctl][explain]") {
  const auto command = readings_of("80010000000c0000017b0010");
  REQUIRE(command.size() == 1);
  CHECK(command[0].direction == Dissection::Direction::Command);
  const auto error = readings_of("80010000000a00000921");
  REQUIRE(error.size() == 1);
  CHECK(error[0].direction == Dissection::Direction::Response);
  const auto success = readings_of("80010000000c000000000000");
  REQUIRE(success.size() == 1);
  CHECK(success[0].direction == Dissection::Direction::Response);
  // TPM2_ReadClock, and TPM_RC_ASYMMETRIC of the first handle.
  CHECK(readings_of("80010000000a00000181").size() == 2);
  // TPM2_Startup without its parameter, and TPM_RC_AUTHSIZE.
  const auto startup = readings_of("80010000000a00000144");
  REQUIRE(startup.size() == 1);
  CHECK(startup[0].direction == Dissection::Direction::Response);
  CHECK(readings_of("00c10000000a00000050")[0].family == Dissection::Family::Tpm12);
  CHECK(readings_of("00c40000000a00000001")[0].direction == Dissection::Direction::Response);
  CHECK_FALSE(readings_of("80")[0].faults.empty());
}

TEST_CASE("the command of a response is named, numbered or given", "[tbsctl][explain]") {
  using Family = Dissection::Family;
  CHECK(command_of("GetRandom", Family::Tpm20) == TPM2_CC_GetRandom);
  CHECK(command_of("TPM2_CC_GetRandom", Family::Tpm20) == TPM2_CC_GetRandom);
  CHECK(command_of("GetRandom", Family::Tpm12) == tpm12::ord::kGetRandom);
  CHECK(command_of("TPM_GetRandom", Family::Tpm12) == tpm12::ord::kGetRandom);
  CHECK(command_of("0x17b", Family::Tpm20) == TPM2_CC_GetRandom);
  CHECK(command_of("80010000000c0000017b0010", Family::Tpm20) == TPM2_CC_GetRandom);
  CHECK_FALSE(command_of("80 01", Family::Tpm20).has_value());
  CHECK_FALSE(command_of("NoSuch", Family::Tpm20).has_value());
  const auto readings = readings_of("80010000000e00000000 0002 aabb", "GetRandom");
  REQUIRE(readings.size() == 1);
  CHECK(readings[0].command == "TPM2_GetRandom");
  const auto none = dissect_bytes(*parse_hex("80010000000a00000000"), "NoSuch");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().exit == Exit::Usage);
}
