#include "client/tbsctl/log/replay.h"

#include <catch2/catch.hpp>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "tests/support/event_log_writer.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::test::EventLogWriter;

namespace {

constexpr std::uint16_t kSha256 = 11;
constexpr std::uint16_t kUnknown = 0x7777;

// SHA-256 of 32 zeros and 32 zeros, and of that and 32 zeros.
constexpr std::string_view kOnce =
    "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b";
constexpr std::string_view kTwice =
    "7a0501f5957bdf9cb3a8ff4966f02265f968658b7a9c62642cba1165e86642f5";

EventLogWriter twice(std::uint32_t pcr) {
  EventLogWriter writer;
  writer.spec_id({{kSha256, 32}, {kUnknown, 8}});
  for (int i = 0; i < 2; ++i) {
    writer.agile(pcr, 4, {{kSha256, Buffer(32)}, {kUnknown, Buffer(8)}}, {});
  }
  return writer;
}

}  // namespace

TEST_CASE("PCRs step by step, of the banks that are known", "[tbsctl][replay]") {
  const auto writer = twice(5);
  const auto log = parse_event_log(writer.bytes());
  const auto pcrs = replay(log);
  REQUIRE(pcrs.size() == 1);
  CHECK(pcrs[0].algorithm == kSha256);
  CHECK(pcrs[0].pcr == 5);
  REQUIRE(pcrs[0].steps.size() == 2);
  CHECK(pcrs[0].steps[0].event == 1);
  CHECK(to_hex(pcrs[0].steps[0].value) == kOnce);
  CHECK(to_hex(pcrs[0].value()) == kTwice);
}

TEST_CASE("how a TPM's value compares", "[tbsctl][replay]") {
  const auto writer = twice(5);
  const auto log = parse_event_log(writer.bytes());
  const auto pcrs = replay(log);
  const auto one = [&](const Buffer& value) {
    const std::vector<PcrValue> measured{{kSha256, 5, value}};
    const auto comparison = compare(pcrs, measured).at(0);
    return std::pair(comparison.agreement, comparison.first_unseen);
  };
  CHECK(one(pcrs[0].value()) == std::pair(Agreement::Equal, std::size_t{0}));
  CHECK(one(pcrs[0].steps[0].value) == std::pair(Agreement::Earlier, std::size_t{2}));
  CHECK(one(Buffer(32)) == std::pair(Agreement::Earlier, std::size_t{1}));
  CHECK(one(Buffer(32, 1)) == std::pair(Agreement::Differs, std::size_t{0}));
  CHECK(compare(pcrs, {}).at(0).agreement == Agreement::Absent);
  const std::vector<PcrValue> other{{kSha256, 6, Buffer(32)}, {kSha1Bank, 5, Buffer(20)}};
  CHECK(compare(pcrs, other).at(0).agreement == Agreement::Absent);
}

TEST_CASE("what is not extended: remarks, and registers that are none", "[tbsctl][replay]") {
  EventLogWriter writer;
  writer.spec_id({{kSha256, 32}});
  writer.agile(1, kEvNoAction, {{kSha256, Buffer(32)}}, {});
  writer.agile(24, 4, {{kSha256, Buffer(32)}}, {});
  writer.agile(0xFFFFFFFF, 4, {{kSha256, Buffer(32)}}, {});
  CHECK(replay(parse_event_log(writer.bytes())).empty());
}

TEST_CASE("where PCRs start", "[tbsctl][replay]") {
  CHECK(pcr_start(0, 4, 3) == Buffer{0, 0, 0, 3});
  CHECK(pcr_start(1, 4, 3) == Buffer(4));
  CHECK(pcr_start(17, 4, 0) == Buffer(4, 0xFF));
  CHECK(pcr_start(22, 4, 0) == Buffer(4, 0xFF));
  CHECK(pcr_start(23, 4, 0) == Buffer(4));
  CHECK(bank_name(0x000C) == "sha384");
  CHECK(bank_name(0x1234) == "0x1234");
  CHECK(bank_of("sm3_256") == 0x0012);
  CHECK(bank_of("0x1234") == 0x1234);
  CHECK_FALSE(bank_of("md5"));
  CHECK_FALSE(pcr_extend(kSha256, Buffer(32), Buffer(20)));
  CHECK_FALSE(pcr_extend(kUnknown, Buffer(8), Buffer(8)));
}
