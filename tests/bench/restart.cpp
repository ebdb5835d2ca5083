#include <algorithm>
#include <csignal>
#include <vector>

#include "tests/bench/daemon.h"
#include "tests/bench/random_load.h"
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

// What it costs that clients would outlive a restart: with it and without it in turn, each pair
// beside the other.
struct Pairs {
  std::vector<double> added;  // us at p50
  std::vector<double> ratio;  // of the rates
  std::vector<Rate> with;
  std::vector<Rate> without;
};

Pairs compare(const Setup& setup, const Daemon& with, const Daemon& without, unsigned clients) {
  Pairs pairs;
  for (unsigned round = 0; round < setup.rounds; ++round) {
    // Who is first has a warmer or a colder machine, so they take turns in that, too.
    const auto measure = [&](const Daemon& daemon) {
      return random_load(tbs_clients(daemon.socket()), clients, setup.duration);
    };
    const bool first = round % 2 == 0;
    Rate one = measure(first ? with : without);
    Rate other = measure(first ? without : with);
    if (!first) std::swap(one, other);
    pairs.added.push_back(one.p50 - other.p50);
    pairs.ratio.push_back(one.per_second / other.per_second);
    pairs.with.push_back(one);
    pairs.without.push_back(other);
  }
  return pairs;
}

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
              .columns = {"clients", "per s", "without", "ratio", "lowest", "highest", "added us",
                          "lowest us", "highest us"}};
  for (const unsigned clients : {1U, 8U, 64U}) {
    const Pairs pairs = compare(setup, with, without, clients);
    table.rows.push_back({static_cast<double>(clients), median_of(pairs.with).per_second,
                          median_of(pairs.without).per_second, median(pairs.ratio),
                          percentile(pairs.ratio, 0), percentile(pairs.ratio, 1),
                          median(pairs.added), percentile(pairs.added, 0),
                          percentile(pairs.added, 1)});
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
