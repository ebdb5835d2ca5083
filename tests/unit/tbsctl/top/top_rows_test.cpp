#include "client/tbsctl/top/top_rows.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/top/top_json.h"
#include "client/tbsctl/top/top_text.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/top/top_samples.h"

using namespace tbs::ctl;
using namespace tbs::test;
namespace proto = tbs::proto;

namespace {

using Texts = std::vector<std::string>;

Texts names_of(const std::vector<TopRow>& rows) {
  Texts names;
  for (const TopRow& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace

TEST_CASE("rows tell what was since the sample before", "[tbsctl][top]") {
  const auto [before, sample] = two_samples();
  UserNames users;
  const auto rows = top_rows(sample, &before, TopGroup::Context, {}, users);
  REQUIRE(names_of(rows) == Texts{"1", "2", "3"});
  CHECK(percent_text(rows[0].share) == "50.0 %");
  CHECK(rate_text(rows[0].rate) == "5.0");
  CHECK(rows[0].now == "CreatePrimary for 1.2 s");
  CHECK(percent_text(rows[1].share) == "10.0 %");
  CHECK(rate_text(rows[1].rate) == "20.0");
  CHECK(rows[1].now == "-");
  // One that was not there before has counted from nothing.
  CHECK(rate_text(rows[2].rate) == "1.0");
  CHECK(rows[2].unit == "none");
  CHECK(rows[2].now == "waits 300 ms: context 1 has the TPM");

  const auto first = top_rows(sample, nullptr, TopGroup::Context, {}, users);
  CHECK(percent_text(first[0].share) == "-");
  CHECK(rate_text(first[0].rate) == "-");
}

TEST_CASE("rows of a context that counts anew, and of one with more than all the time",
          "[tbsctl][top]") {
  auto [before, sample] = two_samples();
  sample.contexts[1].activity.tpm_us = 400'000;  // less than before
  sample.contexts[0].activity.tpm_us += 9'000'000;
  UserNames users;
  const auto rows = top_rows(sample, &before, TopGroup::Context, {}, users);
  CHECK(percent_text(rows[1].share) == "20.0 %");
  CHECK(percent_text(rows[0].share) == "100.0 %");
  CHECK(goes_on(before, sample));
  sample.status.uptime_us = 1;
  CHECK_FALSE(goes_on(before, sample));
}

TEST_CASE("rows by user and by unit add up", "[tbsctl][top]") {
  const auto [before, sample] = two_samples();
  UserNames users;
  auto units = top_rows(sample, &before, TopGroup::Unit, {}, users);
  sort_rows(units, TopOrder::Time);
  REQUIRE(names_of(units) == Texts{"web.service", "none"});
  CHECK(percent_text(units[0].share) == "60.0 %");
  CHECK(rate_text(units[0].rate) == "25.0");
  CHECK(units[0].context == 0);
  CHECK(units[0].now == "2 contexts");
  CHECK(units[1].now == "1 context, one waits for 300 ms");
  CHECK(units[1].queued == 2);
  CHECK(units[1].bytes == 90);
  const auto by_user = top_rows(sample, &before, TopGroup::User, {}, users);
  CHECK(names_of(by_user) == Texts{"4000000000", "root"});
  // Those of one of them alone.
  const TopFilter web{.group = TopGroup::Unit, .name = "web.service"};
  CHECK(names_of(top_rows(sample, &before, TopGroup::Context, web, users)) == Texts{"1", "2"});
}

TEST_CASE("rows in each order", "[tbsctl][top]") {
  const auto [before, sample] = two_samples();
  UserNames users;
  const auto sorted = [&](TopOrder order, const TopSample* earlier) {
    auto rows = top_rows(sample, earlier, TopGroup::Context, {}, users);
    sort_rows(rows, order);
    return names_of(rows);
  };
  CHECK(sorted(TopOrder::Time, &before) == Texts{"1", "2", "3"});
  CHECK(sorted(TopOrder::Commands, &before) == Texts{"2", "1", "3"});
  CHECK(sorted(TopOrder::Waiting, &before) == Texts{"3", "1", "2"});
  CHECK(sorted(TopOrder::Memory, &before) == Texts{"3", "1", "2"});
  CHECK(sorted(TopOrder::Name, &before) == Texts{"1", "2", "3"});
  // While there are no shares yet, by all there was.
  CHECK(sorted(TopOrder::Time, nullptr) == Texts{"2", "1", "3"});
}

TEST_CASE("why a context waits", "[tbsctl][top]") {
  auto sample = two_samples().second;
  TopContext& waiting = sample.contexts[2];
  const auto text = [&] { return wait_text(sample, waiting); };
  const auto with = [&](proto::TpmWork work) {
    sample.tpm.work = work;
    return text();
  };
  CHECK(text() == "waits 300 ms: context 1 has the TPM");
  sample.tpm.context = 77;
  CHECK(text() == "waits 300 ms: a closed context's command has the TPM");
  CHECK(with(proto::TpmWork::Own) == "waits 300 ms: work of tbsd's own comes first");
  CHECK(with(proto::TpmWork::Starting) == "waits 300 ms: the TPM is being started");
  CHECK(with(proto::TpmWork::Ending) == "waits 300 ms: tbsd stops");
  CHECK(with(proto::TpmWork::Asleep) == "waits 300 ms: the machine goes to sleep");
  CHECK(with(proto::TpmWork::None) == "waits 300 ms: its turn comes next");
  sample.status.device_state = proto::DeviceState::Down;
  CHECK(text() == "waits 300 ms: the TPM is down");
  waiting.activity.reason = proto::WaitReason::Priority;
  CHECK(text() == "waits 300 ms: higher priorities go first");
  waiting.activity.reason = proto::WaitReason::HighShare;
  CHECK(text() == "waits 300 ms: its user's share above normal is used up");
  waiting.entry.queued = 0;
  CHECK(text().empty());
}

TEST_CASE("the lines above the rows", "[tbsctl][top]") {
  auto [before, sample] = two_samples();
  UserNames users;
  CHECK(top_header(sample, &before, users) ==
        Texts{"TPM embedded (ready), 3 contexts, 2 waiting; tbsd 1.2.3, up 12.0 s",
              "Runs: CreatePrimary for 1.2 s, context 1 (root, prog1)",
              "TPM time: 60.0 % for these contexts, 25.0 commands/s, in the last 2.0 s",
              "Objects: 7, on the TPM 3 of 3.  Sessions: 5, on the TPM 2 of 4"});
  CHECK(top_header(sample, nullptr, users)[2] == "TPM time: not known before the second look");
  sample.status.problem = "it\x1b[2J hangs";
  CHECK(top_header(sample, &before, users)[2] == "Problem: it?[2J hangs");

  sample.tpm.context = 77;
  CHECK(top_work(sample, users) == "CreatePrimary for 1.2 s, context 77, which has closed");
  const auto work = [&](proto::TpmWork one) {
    sample.tpm.work = one;
    return top_work(sample, users);
  };
  sample.tpm.command = TPM2_CC_FlushContext;
  CHECK(work(proto::TpmWork::Own) == "FlushContext for 1.2 s, tbsd's own");
  sample.tpm.command = 0;
  CHECK(work(proto::TpmWork::Starting) == "being started for 1.2 s");
  CHECK(work(proto::TpmWork::Ending) == "tbsd stops");
  CHECK(work(proto::TpmWork::Asleep) == "nothing: the machine sleeps, or is about to");
  CHECK(work(proto::TpmWork::None) == "nothing");
}

TEST_CASE("a page for programs", "[tbsctl][top]") {
  const auto [before, sample] = two_samples();
  UserNames users;
  const auto json = top_json(sample, &before, TopOrder::Commands, users);
  CHECK(json["device_state"] == "ready");
  CHECK(json["interval_us"] == 2'000'000);
  CHECK(json["work"]["kind"] == "command");
  CHECK(json["work"]["command"]["name"] == "CreatePrimary");
  CHECK(json["work"]["context"] == 1);
  CHECK(json["objects"] == nlohmann::json{{"held", 7}, {"loaded", 3}, {"slots", 3}});
  REQUIRE(json["contexts"].size() == 3);
  CHECK(json["contexts"][0]["context"] == 2);
  CHECK(json["contexts"][0]["unit"] == "web.service");
  CHECK(json["contexts"][0]["tpm_share"] == 0.1);
  CHECK(json["contexts"][0]["commands_per_second"] == 20.0);
  CHECK(json["contexts"][0]["waits_for"] == "none");
  CHECK(json["contexts"][2]["unit"].is_null());
  CHECK(json["contexts"][2]["waits_for"] == "turn");
  CHECK(json["contexts"][2]["waiting_us"] == 300'000);
  const auto first = top_json(sample, nullptr, TopOrder::Time, users);
  CHECK(first["interval_us"].is_null());
  CHECK(first["contexts"][0]["tpm_share"].is_null());
}

TEST_CASE("texts of others do not steer the terminal", "[tbsctl][top]") {
  auto sample = top_sample(1, {top_context(1, "\x1b[2J.service")});
  sample.contexts[0].entry.program = "\x1b]0;owned\x07\xff";
  UserNames users;
  for (const TopGroup group : {TopGroup::Context, TopGroup::Unit}) {
    for (const TopRow& row : top_rows(sample, nullptr, group, {}, users)) {
      for (const std::string& cell : top_cells(row, group)) {
        CHECK(cell.find_first_of("\x1b\x07\xff") == cell.npos);
      }
    }
  }
}
