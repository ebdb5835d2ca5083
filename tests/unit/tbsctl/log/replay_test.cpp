#include "client/tbsctl/log/replay.h"

#include <array>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "tests/support/catch2.h"
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

TEST_CASE("an NvPCR is replayed from what the log says, or from zeros", "[tbsctl][replay]") {
  constexpr std::uint32_t kNumber = 0x1D10201;
  const auto once = *parse_hex(kOnce);
  LaterRecord init{
      .name = "nvpcr-init", .pcr = 9, .nv_index = {}, .digests = {}, .description = {}};
  init.nv_start = NvPcrStart{.number = kNumber, .algorithm = kSha256, .value = once};
  LaterRecord extended{.name = "keyslot",
                       .pcr = std::nullopt,
                       .nv_index = "cryptsetup",
                       .nv_number = kNumber,
                       .digests = {{.algorithm = kSha256, .value = Buffer(32), .old_value = {}}},
                       .description = {}};
  const std::vector<LaterRecord> later{init, extended};
  const auto pcrs = replay({}, later);
  REQUIRE(pcrs.size() == 1);
  CHECK(pcrs[0].pcr == kNumber);
  CHECK(pcrs[0].start == once);
  CHECK(to_hex(pcrs[0].value()) == kTwice);
  REQUIRE(pcrs[0].alternatives.size() == 1);
  CHECK(to_hex(pcrs[0].alternatives[0].value()) == kOnce);
  for (const std::string_view held : {kTwice, kOnce}) {
    const std::vector<PcrValue> measured{{kSha256, kNumber, *parse_hex(held)}};
    CHECK(compare(pcrs, measured)[0].agreement == Agreement::Equal);
  }
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

TEST_CASE("banks and what extends them", "[tbsctl][replay]") {
  CHECK(bank_name(0x000C) == "sha384");
  CHECK(bank_name(0x1234) == "0x1234");
  CHECK(bank_of("sm3_256") == 0x0012);
  CHECK(bank_of("0x1234") == 0x1234);
  CHECK_FALSE(bank_of("md5"));
  CHECK_FALSE(pcr_extend(kSha256, Buffer(32), Buffer(20)));
  CHECK_FALSE(pcr_extend(kUnknown, Buffer(8), Buffer(8)));
}

// What PCR 0 starts from, in the TPM 2.0 Library Part 1, "H-CRTM before TPM2_Startup()", and the PC
// Client Platform Firmware Profile, "Startup Locality Event" and "EV_EFI_HCRTM_EVENT".
namespace {

constexpr std::uint32_t kEvScrtmVersion = 8;
constexpr std::array<std::uint8_t, 3> kLocalities = {0, 3, 4};

Buffer start_with(std::uint8_t last, std::uint8_t others = 0) {
  Buffer start(32, others);
  start.back() = last;
  return start;
}

// What the one measurement of digest zero makes of a start.
Buffer measured_from(const Buffer& start) {
  return *pcr_extend(kSha256, start, Buffer(32));
}

Buffer locality_event(std::uint8_t locality, std::size_t padding = 0) {
  const std::string_view signature("StartupLocality\0", 16);
  Buffer data(signature.begin(), signature.end());
  data.push_back(locality);
  data.resize(data.size() + padding);
  return data;
}

// A log with one measurement into `pcr`, after events of its own.
struct OneMeasurement {
  EventLogWriter writer;

  OneMeasurement() { writer.spec_id({{kSha256, 32}}); }
  OneMeasurement& remark(const Buffer& data) {
    writer.agile(0, kEvNoAction, {{kSha256, Buffer(32)}}, data);
    return *this;
  }
  Agreement agreement(const Buffer& tpm, std::uint32_t pcr = 0,
                      std::uint32_t type = kEvScrtmVersion) {
    writer.agile(pcr, type, {{kSha256, Buffer(32)}}, {});
    const auto log = parse_event_log(writer.bytes());
    CHECK(log.fault.empty());
    const auto pcrs = replay(log);
    REQUIRE(pcrs.size() == 1);
    likeliest = pcrs[0].start;
    const std::vector<PcrValue> measured{{kSha256, pcr, tpm}};
    return compare(pcrs, measured).at(0).agreement;
  }

  Buffer likeliest;
};

}  // namespace

TEST_CASE("PCR 0 starts with the locality that the log names", "[tbsctl][replay]") {
  for (const std::uint8_t locality : kLocalities) {
    for (const std::size_t padding : {0U, 3U, 15U}) {
      CAPTURE(locality, padding);
      OneMeasurement log;
      log.remark(locality_event(locality, padding));
      CHECK(log.agreement(measured_from(start_with(locality))) == Agreement::Equal);
      CHECK(log.likeliest == start_with(locality));
      OneMeasurement other;
      other.remark(locality_event(locality, padding));
      CHECK(other.agreement(measured_from(start_with(static_cast<std::uint8_t>(locality ^ 7)))) ==
            Agreement::Differs);
    }
  }
}

TEST_CASE("an H-CRTM event says that PCR 0 started at 4", "[tbsctl][replay]") {
  SECTION("alone") {
    OneMeasurement log;
    CHECK(log.agreement(measured_from(start_with(4)), 0, kEvEfiHcrtmEvent) == Agreement::Equal);
    CHECK(log.likeliest == start_with(4));
  }
  SECTION("with the digest of what was hashed") {
    // SHA-256("boot block"), and of 0...04 and that.
    EventLogWriter writer;
    writer.spec_id({{kSha256, 32}});
    const auto digest =
        parse_hex("4222af3459200e4e1d59c9fd08b39dfb633c815d0d1bd37cf95b37697f3dada0");
    REQUIRE(digest);
    writer.agile(0, kEvEfiHcrtmEvent, {{kSha256, *digest}}, {'H', 'C', 'R', 'T', 'M'});
    const auto log = parse_event_log(writer.bytes());
    const auto pcrs = replay(log);
    REQUIRE(pcrs.size() == 1);
    CHECK(to_hex(pcrs[0].value()) ==
          "cc93748144d49892336ad97b6f562a2974866c93ba7cb27fa49b040f81fbc52d");
    CHECK(pcrs[0].alternatives.empty());
  }
  SECTION("beside an event of the startup's locality") {
    for (const std::uint8_t locality : kLocalities) {
      OneMeasurement log;
      log.remark(locality_event(locality));
      CHECK(log.agreement(measured_from(start_with(4)), 0, kEvEfiHcrtmEvent) == Agreement::Equal);
    }
  }
  SECTION("in another register it says nothing") {
    OneMeasurement log;
    CHECK(log.agreement(measured_from(start_with(4)), 1, kEvEfiHcrtmEvent) == Agreement::Differs);
  }
}

TEST_CASE("a log that names no locality leaves it open", "[tbsctl][replay]") {
  for (const std::uint8_t locality : kLocalities) {
    OneMeasurement log;
    CHECK(log.agreement(measured_from(start_with(locality))) == Agreement::Equal);
    CHECK(log.likeliest == start_with(0));
  }
  OneMeasurement none;
  CHECK(none.agreement(measured_from(start_with(1))) == Agreement::Differs);
  OneMeasurement before;
  CHECK(before.agreement(start_with(3)) == Agreement::Earlier);
}

TEST_CASE("what only looks like the event of the locality", "[tbsctl][replay]") {
  const std::string_view name = "StartupLocality";
  SECTION("cut off before the locality") {
    OneMeasurement log;
    log.remark({name.begin(), name.end()});
    CHECK(log.agreement(measured_from(start_with(0))) == Agreement::Equal);
  }
  SECTION("another name") {
    OneMeasurement log;
    Buffer data = locality_event(3);
    data[15] = '2';
    log.remark(data);
    CHECK(log.agreement(measured_from(start_with(0))) == Agreement::Equal);
  }
  SECTION("measured, not remarked") {
    const Buffer data = locality_event(3);
    CHECK(startup_locality({.type = kEvNoAction, .digests = {}, .data = data}) == 3);
    CHECK_FALSE(startup_locality({.type = kEvScrtmVersion, .digests = {}, .data = data}));
  }
}

TEST_CASE("registers of a dynamic launch start with zeros, or ones before it", "[tbsctl][replay]") {
  for (std::uint32_t pcr = 1; pcr < kPcrCount; ++pcr) {
    CAPTURE(pcr);
    const bool dynamic = pcr >= 17 && pcr <= 22;
    OneMeasurement zeros;
    CHECK(zeros.agreement(measured_from(start_with(0)), pcr) == Agreement::Equal);
    OneMeasurement ones;
    CHECK((ones.agreement(measured_from(start_with(0xFF, 0xFF)), pcr) == Agreement::Equal) ==
          dynamic);
  }
}
