#include <algorithm>
#include <csignal>
#include <vector>

#include "tests/bench/daemon.h"
#include "tests/bench/daemon_pairs.h"
#include "tests/bench/expect_success.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr double kAddedLimit = 2;    // us at p50, one client
constexpr double kRateLimit = 0.97;  // of the rate without, 64 clients
constexpr double kPauseLimit = 300;  // ms, the longest
constexpr unsigned kRestarts = 20;

Table measure_cost(const Setup& setup, std::vector<Goal>& goals) {
  const test::TempFolder with_folder;
  const test::TempFolder without_folder;
  const Swtpm with_tpm(with_folder);
  const Swtpm without_tpm(without_folder);
  Daemon with(setup, with_folder, "with", with_tpm.device());
  Daemon without(setup, without_folder, "without", without_tpm.device(), {"--keep-clients=no"});
  with.wait_until_ready();
  without.wait_until_ready();
  Table table{.title = "GetRandom(16) on swtpm: what keeping clients for a restart costs, in pairs",
              .columns = pair_columns()};
  for (const unsigned clients : {1U, 8U, 64U}) {
    const Pairs pairs = compare(setup, with, without, clients);
    table.rows.push_back(pair_row(clients, pairs));
    if (clients == 1) {
      goals.push_back({"us added at p50 by keeping clients, 1 client", median(pairs.added),
                       Bound::AtMost, kAddedLimit});
    } else if (clients == 64) {
      goals.push_back({"rate with keeping clients, of that without, 64 clients",
                       median(pairs.ratio), Bound::AtLeast, kRateLimit});
    }
  }
  return table;
}

// Milliseconds from the signal to the next response: the longest that a command took meanwhile.
double restart_once(const Daemon& daemon, TbsClient& client) {
  const proto::Buffer command = test::tpm::get_random(16);
  const auto asked = Clock::now();
  ::kill(daemon.pid(), SIGUSR2);
  double longest = 0;
  while (Clock::now() - asked < std::chrono::milliseconds(400)) {
    const auto start = Clock::now();
    expect_success(client.run(command), "GetRandom");
    longest = std::max(longest, micros_since(start) / 1000);
  }
  return longest;
}

Table measure_pause(const Setup& setup, std::vector<Goal>& goals) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  Daemon daemon(setup, folder, "pause", tpm.device());
  daemon.wait_until_ready();
  Table table{.title = "A restart by SIGUSR2 with one client at work: the longest wait",
              .columns = {"clients", "restarts", "median ms", "longest ms"}};
  std::vector<std::unique_ptr<TbsClient>> others;
  for (const std::size_t clients : {std::size_t{1}, std::size_t{64}}) {
    while (others.size() < clients) others.push_back(std::make_unique<TbsClient>(daemon.socket()));
    std::vector<double> pauses;
    for (unsigned i = 0; i < kRestarts; ++i) {
      pauses.push_back(restart_once(daemon, *others.front()));
    }
    table.rows.push_back({static_cast<double>(clients), static_cast<double>(pauses.size()),
                          median(pauses), percentile(pauses, 1)});
    if (clients == 64) {
      goals.push_back({"ms of pause at a restart, the longest, 64 clients", percentile(pauses, 1),
                       Bound::AtMost, kPauseLimit});
    }
  }
  return table;
}

}  // namespace

Section measure_restart(const Setup& setup) {
  Section section{.name = "restart"};
  section.tables.push_back(measure_cost(setup, section.goals));
  section.tables.push_back(measure_pause(setup, section.goals));
  return section;
}

}  // namespace tbs::bench
