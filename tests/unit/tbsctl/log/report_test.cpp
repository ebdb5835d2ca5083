#include "client/tbsctl/log/report.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/hex.h"
#include "tests/support/catch2.h"
#include "tests/support/event_log_writer.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::test::EventLogWriter;

namespace {

constexpr std::uint16_t kSha256 = 11;

// A log of two measurements, and a TPM that has one value in the register.
struct Reported {
  explicit Reported(const Buffer& tpm, bool damaged = false) {
    writer.spec_id({{kSha256, 32}});
    for (int i = 0; i < 2; ++i) writer.agile(5, 4, {{kSha256, Buffer(32)}}, {0, 0, 0, 0});
    if (damaged) writer.sha1(1, 2, {}, {1});
    report.log = parse_event_log(writer.bytes());
    pcrs = replay(report.log);
    measured.push_back({kSha256, 5, tpm});
    report.pcrs = compare(pcrs, measured);
    report.compared = true;
  }

  std::string print(bool json) {
    std::ostringstream out;
    print_report({.out = out, .notes = out, .json = json}, report);
    return out.str();
  }

  EventLogWriter writer;
  LogReport report;
  std::vector<ReplayedPcr> pcrs;
  std::vector<PcrValue> measured;
};

// SHA-256 of 32 zeros and 32 zeros, and of that and 32 zeros.
const Buffer kOnce = *parse_hex("f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
const Buffer kTwice =
    *parse_hex("7a0501f5957bdf9cb3a8ff4966f02265f968658b7a9c62642cba1165e86642f5");

}  // namespace

TEST_CASE("a TPM that agrees with the log", "[tbsctl][log]") {
  Reported reported(kTwice);
  CHECK(verdict(reported.report).has_value());
  const std::string text = reported.print(false);
  CHECK(text.find("EXPECTED FROM LOG") != text.npos);
  CHECK(text.find(to_hex(kTwice) + "  equal\n") != text.npos);
  CHECK(nlohmann::json::parse(reported.print(true))["first_mismatch"].is_null());
}

TEST_CASE("a TPM that has not seen the end of the log", "[tbsctl][log]") {
  Reported reported(kOnce);
  const auto why = verdict(reported.report);
  REQUIRE_FALSE(why.has_value());
  CHECK(why.error().message ==
        "PCR 5 (sha256) of the TPM has not seen event 2 (EV_SEPARATOR) and what comes after it: it "
        "has what the log says up to event 1");
  const auto json = nlohmann::json::parse(reported.print(true));
  CHECK(json["first_mismatch"]["result"] == "earlier");
  CHECK(json["first_mismatch"]["first_unseen"] == 2);
  CHECK(json["first_mismatch"]["last_seen"] == 1);
}

TEST_CASE("a TPM that holds something else", "[tbsctl][log]") {
  Reported reported(Buffer(32, 1));
  const auto why = verdict(reported.report);
  REQUIRE_FALSE(why.has_value());
  CHECK(why.error().message ==
        "PCR 5 (sha256) is " + to_hex(Buffer(32, 1)) + " in the TPM; expected from the log is " +
            to_hex(kTwice) + "; the digest of event 1 (EV_SEPARATOR) is not that of its data");
}

TEST_CASE("a damaged log", "[tbsctl][log]") {
  Reported reported(kTwice, true);
  const auto why = verdict(reported.report);
  REQUIRE_FALSE(why.has_value());
  CHECK(why.error().exit == Exit::Failed);
  CHECK(why.error().message.starts_with("the event log is damaged: record 3 at byte "));
}

TEST_CASE("a log that is compared with nothing", "[tbsctl][log]") {
  Reported reported(Buffer(32, 1));
  reported.report.compared = false;
  CHECK(verdict(reported.report).has_value());
  CHECK_FALSE(nlohmann::json::parse(reported.print(true))["pcrs"][0].contains("tpm"));
}
