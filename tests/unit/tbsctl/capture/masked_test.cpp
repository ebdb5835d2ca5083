#include "client/tbsctl/capture/masked.h"

#include <algorithm>

#include "client/tbsctl/text/hex.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using ctl::masked_command;
using ctl::masked_response;

namespace {

proto::Buffer bytes(const std::string& hex) {
  proto::Buffer read;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    read.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(at, 2), nullptr, 16)));
  }
  return read;
}

}  // namespace

TEST_CASE("passwords in the authorization area are masked", "[tbsctl][capture]") {
  // NV_Read with the password "abc".
  const auto command = bytes(
      "8002"
      "00000026"
      "0000014e"
      "01500077"
      "01500077"
      "0000000c"
      "40000009"
      "0000"
      "00"
      "0003"
      "616263"
      "0008"
      "0000");
  const auto masked = masked_command(command);
  CHECK(masked.size() == command.size());
  CHECK(ctl::to_hex(masked).find("0003000000"
                                 "00080000") != std::string::npos);
  CHECK(ctl::to_hex(masked).starts_with(ctl::to_hex(command).substr(0, 60)));
}

TEST_CASE("what a TPM gives away is masked in responses", "[tbsctl][capture]") {
  const auto response = bytes(
      "8001"
      "00000010"
      "00000000"
      "0004"
      "aabbccdd");
  CHECK(ctl::to_hex(masked_response(response, tpm::cc::kGetRandom)) ==
        "80010000001000000000000400000000");
  // Of a command that nobody knows, nothing but the header stays.
  CHECK(ctl::to_hex(masked_response(response, 0x7777)) == "80010000001000000000000000000000");
}

TEST_CASE("what is no secret stays", "[tbsctl][capture]") {
  const auto command = bytes("80010000000c0000017b0010");
  CHECK(masked_command(command) == command);
  const auto short_one = bytes("800100");
  CHECK(masked_command(short_one).size() == 3);
  CHECK(masked_command({}).empty());
}
