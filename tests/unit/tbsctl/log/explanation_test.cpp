#include "client/tbsctl/log/explanation.h"

#include "client/tbsctl/log/mismatch.h"
#include "client/tbsctl/log/report.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "tests/support/catch2.h"
#include "tests/support/event_log_writer.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::test::EventLogWriter;

namespace {

constexpr std::uint16_t kSha256 = 11;

Buffer digest(std::uint8_t content) {
  return Buffer(32, content);
}

// What a PCR holds after these.
Buffer extended(const std::vector<std::uint8_t>& contents) {
  Buffer value(32);
  for (const std::uint8_t content : contents) value = *pcr_extend(kSha256, value, digest(content));
  return value;
}

// A log of events 1 to 4 in PCR 5, of a type that has any digest.
struct FourEvents {
  FourEvents() {
    writer.spec_id({{kSha256, 32}});
    for (std::uint8_t i = 1; i <= 4; ++i) writer.agile(5, 0xD, {{kSha256, digest(i)}}, {i});
    report.log = parse_event_log(writer.bytes());
    replayed = replay(report.log);
    report.compared = true;
  }

  const Comparison& with(const Buffer& value) {
    measured = {{kSha256, 5, value}};
    report.pcrs = compare(replayed, measured);
    return report.pcrs.at(0);
  }
  std::string text() { return verdict(report).error().message; }

  EventLogWriter writer;
  LogReport report;
  std::vector<ReplayedPcr> replayed;
  std::vector<PcrValue> measured;
};

}  // namespace

TEST_CASE("the TPM has the beginning of the log", "[tbsctl][log]") {
  FourEvents events;
  const Comparison& some = events.with(extended({1, 2}));
  CHECK(some.agreement == Agreement::Earlier);
  CHECK(some.last_seen == 2);
  CHECK(some.first_unseen == 3);
  CHECK(events.text().ends_with(
      "has not seen event 3 (EV_IPL) and what comes after it: it has what the log says up to event "
      "2"));
  const Comparison& nothing = events.with(Buffer(32));
  CHECK(nothing.agreement == Agreement::Earlier);
  CHECK_FALSE(nothing.last_seen.has_value());
  CHECK(events.text().ends_with("it has nothing of what the log says"));
}

TEST_CASE("one record explains the value", "[tbsctl][log]") {
  FourEvents events;
  const auto check = [&](const std::vector<std::uint8_t>& order, Cause cause, std::size_t record,
                         const std::string& text) {
    const Comparison& found = events.with(extended(order));
    CHECK(found.agreement == Agreement::Differs);
    CHECK(found.cause == cause);
    CHECK(found.cause_record == record);
    CHECK(events.text().find(text) != std::string::npos);
  };
  check({1, 3, 4}, Cause::LeftOut, 2, "the TPM has all of the log but event 2 (EV_IPL)");
  check({2, 3, 4}, Cause::LeftOut, 1, "all of the log but event 1");
  check({1, 2, 3, 3, 4}, Cause::Twice, 3, "the TPM has event 3 (EV_IPL) twice");
  check({1, 2, 4, 3}, Cause::Swapped, 3, "the other way round");
  check({4, 3, 2, 1}, Cause::Unknown, 0, "no part of the log gives that value");
}

TEST_CASE("explaining ends, however long the log is", "[tbsctl][log]") {
  FourEvents events;
  std::size_t work = 39;
  CHECK_FALSE(find_deviation(events.replayed.at(0), extended({1, 3, 4}), work).has_value());
  CHECK(work == 39);
  work = 40;
  CHECK(find_deviation(events.replayed.at(0), extended({1, 3, 4}), work).has_value());
  CHECK(work == 0);
}

TEST_CASE("who goes on measuring is named", "[tbsctl][log]") {
  for (const auto& [pcr, hint] : {std::pair{10U, "--ima auto"}, {11U, "--userspace auto"}}) {
    EventLogWriter writer;
    writer.spec_id({{kSha256, 32}}).agile(pcr, 0xD, {{kSha256, digest(1)}}, {});
    LogReport report{.log = parse_event_log(writer.bytes()), .compared = true};
    const auto replayed = replay(report.log);
    const std::vector<PcrValue> measured{{kSha256, pcr, extended({1, 9})}};
    report.pcrs = compare(replayed, measured);
    CHECK(verdict(report).error().message.find(hint) != std::string::npos);
    // Once that log is there, it is no longer the reason.
    report.add({.format = pcr == 10 ? "ima" : "systemd", .records = {}, .fault = {}});
    CHECK(verdict(report).error().message.find(hint) == std::string::npos);
  }
}
