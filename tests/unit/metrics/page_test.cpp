#include "daemon/metrics/page.h"

#include <set>
#include <sstream>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::metrics;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has_line(const std::string& text, const std::string& wanted) {
  for (const std::string& line : lines_of(text)) {
    if (line == wanted) return true;
  }
  return false;
}

Reading sample() {
  Reading reading{.version = "1.2.3", .start_time = 1'700'000'000.25, .loop_gap = 1500us};
  TpmReading tpm;
  tpm.device = {.state = proto::DeviceState::Ready,
                .losses = 3,
                .name = "/dev/tpm0",
                .manufacturer = "I\"B\\\x01",
                .family = "2.0"};
  tpm.counters.answered = 7;
  tpm.counters.waiting[static_cast<std::size_t>(CommandKind::Random)].add(200us);
  tpm.counters.waiting[static_cast<std::size_t>(CommandKind::Random)].add(1h);
  tpm.counters.cancels[static_cast<std::size_t>(sched::CancelOutcome::Detached)] = 2;
  tpm.refusals[static_cast<std::size_t>(server::Refusal::Rule)] = 5;
  tpm.statistics.refused = 6;
  tpm.contexts_by_role = {{"everybody", 4}, {"database", 1}};
  tpm.quotas_by_role = {{"database", "max-contexts-per-user", 1}};
  tpm.limits = {{.limit = 1024, .used = 4, .name = "max-contexts"}};
  reading.tpms.push_back(tpm);
  tpm.tenant = "web";
  tpm.device.state = proto::DeviceState::Down;
  reading.tpms.push_back(tpm);
  return reading;
}

}  // namespace

TEST_CASE("a page says what was counted", "[metrics]") {
  const std::string text = page(sample(), Format::Text);
  for (const char* const line : {
           R"(tbs_build_info{version="1.2.3"} 1)",
           "process_start_time_seconds 1700000000.250000",
           "tbs_loop_gap_seconds 0.001500",
           "# TYPE tbs_device_losses_total counter",
           "tbs_device_losses_total 3",
           R"(tbs_device_losses_total{tenant="web"} 3)",
           "tbs_device_up 1",
           R"(tbs_device_up{tenant="web"} 0)",
           R"(tbs_device_state{tenant="web",state="down"} 1)",
           R"(tbs_device_info{device="/dev/tpm0",family="2.0",manufacturer="I\"B\\?"} 1)",
           R"(tbs_commands_total{result="answered"} 7)",
           "# TYPE tbs_command_wait_seconds histogram",
           R"(tbs_command_wait_seconds_bucket{kind="random",le="0.0001"} 0)",
           R"(tbs_command_wait_seconds_bucket{kind="random",le="0.0003"} 1)",
           R"(tbs_command_wait_seconds_bucket{kind="random",le="100.0"} 1)",
           R"(tbs_command_wait_seconds_bucket{kind="random",le="+Inf"} 2)",
           R"(tbs_command_wait_seconds_sum{kind="random"} 3600.000200)",
           R"(tbs_command_wait_seconds_count{kind="random"} 2)",
           R"(tbs_cancels_total{outcome="detached"} 2)",
           R"(tbs_refused_total{reason="rule"} 5)",
           R"(tbs_refused_total{reason="resource-manager"} 6)",
           R"(tbs_role_contexts{role="database"} 1)",
           R"(tbs_role_quota_used{role="database",limit="max-contexts-per-user"} 1)",
           R"(tbs_quota{limit="max-contexts"} 1024)",
           R"(tbs_quota_used{limit="max-contexts"} 4)",
       }) {
    INFO(line);
    CHECK(has_line(text, line));
  }
  CHECK(text.find("# EOF") == std::string::npos);
  CHECK(text.find("uid=") == std::string::npos);
}

TEST_CASE("OpenMetrics names counters without their ending, and ends", "[metrics]") {
  const std::string text = page(sample(), Format::OpenMetrics);
  CHECK(has_line(text, "# TYPE tbs_device_losses counter"));
  CHECK(has_line(text, "tbs_device_losses_total 3"));
  CHECK(has_line(text, "# UNIT tbs_command_wait_seconds seconds"));
  CHECK(has_line(text, "# UNIT tbs_swap_seconds seconds"));
  CHECK(text.ends_with("\n# EOF\n"));
}

TEST_CASE("each sample is there once, under the heading of its family", "[metrics]") {
  for (const Format format : {Format::Text, Format::OpenMetrics}) {
    std::set<std::string> seen;
    std::set<std::string> headings;
    std::string family;
    for (const std::string& line : lines_of(page(sample(), format))) {
      INFO(line);
      if (line.starts_with("# HELP ")) {
        family = line.substr(7, line.find(' ', 7) - 7);
        CHECK(headings.insert(family).second);
      }
      if (line.starts_with('#')) continue;
      CHECK(line.starts_with(family));
      CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
    }
    CHECK(headings.size() == families().size());
  }
}

TEST_CASE("the page of a thousand contexts is short", "[metrics]") {
  Reading reading = sample();
  reading.tpms.resize(1);
  TpmReading& tpm = reading.tpms.front();
  tpm.contexts_by_role.clear();
  tpm.quotas_by_role.clear();
  for (std::size_t role = 0; role < 64; ++role) {
    const std::string name = "a-role-with-a-long-name-" + std::to_string(role);
    tpm.contexts_by_role.push_back({name, 1024});
    for (const char* const limit : {"max-contexts-per-user", "objects-per-user",
                                    "sessions-per-user", "max-backlog-per-user"}) {
      tpm.quotas_by_role.push_back({name, limit, 1024});
    }
  }
  for (auto* const histograms : {&tpm.counters.waiting, &tpm.counters.working}) {
    for (Histogram& histogram : *histograms) {
      for (int i = 0; i < 100'000; ++i) histogram.add(1s);
    }
  }
  CHECK(page(reading, Format::Text).size() <= 64U << 10);
  CHECK(page(reading, Format::OpenMetrics).size() <= 64U << 10);
}
