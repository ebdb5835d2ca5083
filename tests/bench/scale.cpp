#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <string>

#include "tests/bench/daemon.h"
#include "tests/bench/many_contexts.h"
#include "tests/bench/random_load.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/integration/support/raw_client.h"

namespace tbs::bench {
namespace {

constexpr std::array kContexts = {std::size_t{10}, std::size_t{100}, std::size_t{1000},
                                  std::size_t{10'000}};
constexpr double kMemoryLimit = 160;     // MiB, with the most
constexpr double kConnectsLimit = 2000;  // a second, with the most

double per_second(std::size_t count, Clock::time_point since) {
  return static_cast<double>(count) / (micros_since(since) / 1e6);
}

// MiB of a line of proc_pid_status(5): VmRSS and VmHWM have the memory that outlives the process.
double status_mebibytes(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word != name + ":") continue;
    double kibibytes = 0;
    status >> kibibytes;
    return kibibytes / 1024;
  }
  return 0;
}

void wait_until_alone(const Daemon& daemon) {
  auto observer = test::RawClient::observer(daemon.socket());
  test::eventually([&] { return observer.ask(proto::DaemonStatus{}).contexts == 0; });
}

std::vector<Value> measure_with(const Setup& setup, std::size_t count) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  Daemon daemon(
      setup, folder, "scale", tpm.device(),
      {"--max-contexts=20000", "--max-contexts-per-user=20000", "--objects-per-user=100000"});
  daemon.wait_until_ready();
  const auto mebibytes = [&](const char* name) { return status_mebibytes(daemon.pid(), name); };

  auto since = Clock::now();
  std::optional<ManyContexts> contexts(std::in_place, daemon.socket(), count);
  const double connects = per_second(count, since);
  const double idle = mebibytes("VmRSS");
  contexts->load_keys();
  const double with_keys = mebibytes("VmRSS");
  const Rate rate = random_load(tbs_clients(daemon.socket()), 1, setup.duration);
  since = Clock::now();
  contexts.reset();
  wait_until_alone(daemon);
  return {static_cast<double>(count), connects, idle, with_keys, mebibytes("VmHWM"), rate.p50,
          per_second(count, since)};
}

}  // namespace

Section measure_scale(const Setup& setup) {
  allow_many_descriptors();
  Section section{.name = "scale"};
  Table table{.title = "Contexts that are open, with 3 keys each",
              .columns = {"contexts", "connects per s", "resident MiB", "with keys MiB", "most MiB",
                          "p50 us", "closes per s"}};
  for (const std::size_t count : kContexts) table.rows.push_back(measure_with(setup, count));
  const auto last = [&](std::size_t column) { return std::get<double>(table.rows.back()[column]); };
  section.goals.push_back(
      {"MiB resident with 10,000 contexts of 3 keys", last(3), Bound::AtMost, kMemoryLimit});
  section.goals.push_back(
      {"connects a second, 10,000 contexts", last(1), Bound::AtLeast, kConnectsLimit});
  section.notes.emplace_back(
      "one client connects at a time, and waits for the answer to its hello; p50 is of GetRandom "
      "by one more client");
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace tbs::bench
