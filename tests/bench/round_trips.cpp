#include "tests/bench/daemon.h"
#include "tests/bench/direct_client.h"
#include "tests/bench/random_load.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tbs_client.h"

namespace tbs::bench {
namespace {

constexpr double kAddedLimit = 40;  // us at p50, one client
constexpr double kRateLimit = 0.9;  // of the direct rate, 64 clients

struct Pair {
  Rate direct;
  Rate tbsd;
  double processor = 0;  // us of tbsd's for each command
};

// Rounds are interleaved, so that what else the machine does falls on both alike.
Pair compare(const Setup& setup, const OpenClient& direct, const Daemon& daemon, unsigned clients) {
  const OpenClient tbsd = tbs_clients(daemon.socket());
  std::vector<Rate> direct_rounds;
  std::vector<Rate> tbsd_rounds;
  std::vector<double> processor;
  for (unsigned round = 0; round < setup.rounds; ++round) {
    direct_rounds.push_back(random_load(direct, clients, setup.duration));
    const auto before = test::processor_time(daemon.pid());
    tbsd_rounds.push_back(random_load(tbsd, clients, setup.duration));
    const Micros spent = test::processor_time(daemon.pid()) - before;
    processor.push_back(spent.count() / tbsd_rounds.back().commands);
  }
  return {.direct = median_of(direct_rounds),
          .tbsd = median_of(tbsd_rounds),
          .processor = median(processor)};
}

void add_rows(Table& table, unsigned clients, const Pair& pair) {
  const auto& [direct, tbsd, processor] = pair;
  table.rows.push_back({static_cast<double>(clients), "direct", direct.per_second, 1.0, direct.p50,
                        direct.p99, "", ""});
  table.rows.push_back({static_cast<double>(clients), "tbsd", tbsd.per_second,
                        tbsd.per_second / direct.per_second, tbsd.p50, tbsd.p99,
                        tbsd.p50 - direct.p50, processor});
}

}  // namespace

Section measure_round_trips(const Setup& setup) {
  const test::TempFolder direct_folder;
  const test::TempFolder tbsd_folder;
  const Swtpm direct_tpm(direct_folder);
  const Swtpm tbsd_tpm(tbsd_folder);
  Daemon daemon(setup, tbsd_folder, "tbsd", tbsd_tpm.device());
  daemon.wait_until_ready();
  const OpenClient direct = direct_clients(direct_tpm.data_socket());

  Section section{.name = "round-trips"};
  Table table{.title = "GetRandom(16) on swtpm: round trips",
              .columns = {"clients", "path", "per s", "of direct", "p50 us", "p99 us", "added us",
                          "tbsd's CPU us"}};
  for (const unsigned clients : {1U, 8U, 64U}) {
    const Pair pair = compare(setup, direct, daemon, clients);
    add_rows(table, clients, pair);
    if (clients == 1) {
      section.goals.push_back({"us added at p50, 1 client", pair.tbsd.p50 - pair.direct.p50,
                               Bound::AtMost, kAddedLimit});
    } else if (clients == 64) {
      section.goals.push_back({"rate of 64 clients, of the direct one",
                               pair.tbsd.per_second / pair.direct.per_second, Bound::AtLeast,
                               kRateLimit});
    }
  }
  section.tables.push_back(std::move(table));
  section.notes.emplace_back(
      "direct: swtpm takes one data connection, so direct clients share one behind a mutex, which "
      "the thread that has just let it go mostly takes again");
  return section;
}

}  // namespace tbs::bench
