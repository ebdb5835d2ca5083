#include <array>
#include <future>
#include <map>
#include <optional>

#include "tests/bench/sections.h"
#include "tests/bench/tabrmd.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/workload.h"

namespace tbs::bench {
namespace {

constexpr std::array kWorkloads = {
    Workload{.name = "sign, 1 key, password"},
    Workload{.name = "sign, 1 key, HMAC session", .work = Work::SignBySession},
    Workload{.name = "sign, 6 keys in turn", .keys = 6},
    Workload{.name = "ReadPublic, 1 key", .work = Work::ReadPublic},
    Workload{.name = "sign, 16 clients, a key each", .clients = 16},
    Workload{.name = "sign, 64 clients, a key each", .clients = 64},
};
const Workload& kPassword = kWorkloads[0];
const Workload& kSession = kWorkloads[1];
const Workload& kSixKeys = kWorkloads[2];
const Workload& kReadPublic = kWorkloads[3];
const Workload& kSixteen = kWorkloads[4];
const Workload& kSixtyFour = kWorkloads[5];

// On a chip's timings: long enough for a few dozen signatures, and for all clients to have had
// several turns.
constexpr std::chrono::seconds kOneClient{5};
constexpr std::chrono::seconds kManyClients{12};

constexpr double kOwnCommands = 1.005;  // TPM commands for one of a client, when all fits
constexpr double kSixKeyCommands = 3.0;
constexpr double kChipRate = 0.95;       // of the raw TPM's
constexpr double kManyRate = 0.65;       // of the raw TPM's
constexpr double kManyOverTabrmd = 1.5;  // times tpm2-abrmd's
constexpr double kWaitOfTabrmd = 1.25;   // p99, times tpm2-abrmd's

// Outcomes by workload and path.
using Outcomes = std::map<const Workload*, std::map<std::string, Outcome>>;

double rate_of(const Outcomes& outcomes, const Workload& workload, const char* path) {
  const auto& of_workload = outcomes.at(&workload);
  const auto entry = of_workload.find(path);
  return entry == of_workload.end() ? 0 : entry->second.rate.per_second;
}

// Of what `number` is, tbsd's in times of tpm2-abrmd's; nothing where that was not measured.
std::optional<double> of_tabrmd(const Outcomes& outcomes, const Workload& workload,
                                double Rate::* number) {
  const auto& of_workload = outcomes.at(&workload);
  const auto tabrmd = of_workload.find("tpm2-abrmd");
  if (tabrmd == of_workload.end()) return std::nullopt;
  return of_workload.at("tbsd").rate.*number / (tabrmd->second.rate.*number);
}

double of_raw(const Outcomes& outcomes, const Workload& workload) {
  return rate_of(outcomes, workload, "tbsd") / rate_of(outcomes, workload, "raw");
}

double tpm_commands(const Outcomes& outcomes, const Workload& workload) {
  return outcomes.at(&workload).at("tbsd").tpm_commands;
}

Table table_of(const std::string& title, const Outcomes& outcomes, const AccessPaths& paths) {
  Table table{.title = title,
              .columns = {"work", "path", "per s", "of raw", "p50 ms", "p99 ms", "TPM commands"}};
  for (const Workload& workload : kWorkloads) {
    const double raw = rate_of(outcomes, workload, "raw");
    for (const auto& path : paths) {
      const Outcome& outcome = outcomes.at(&workload).at(path->name());
      table.rows.push_back({workload.name, path->name(), outcome.rate.per_second,
                            outcome.rate.per_second / raw, outcome.rate.p50 / 1000,
                            outcome.rate.p99 / 1000, outcome.tpm_commands});
    }
  }
  return table;
}

Outcome median_of_outcomes(const std::vector<Outcome>& outcomes) {
  std::vector<Rate> rates;
  std::vector<double> commands;
  for (const Outcome& outcome : outcomes) {
    rates.push_back(outcome.rate);
    commands.push_back(outcome.tpm_commands);
  }
  return {.rate = median_of(rates), .tpm_commands = median(commands)};
}

// Rounds are interleaved between the paths: the processors are what they compete for.
Outcomes measure_fast(const Setup& setup, const AccessPaths& paths) {
  Outcomes outcomes;
  for (const Workload& workload : kWorkloads) {
    std::map<std::string, std::vector<Outcome>> rounds;
    for (unsigned i = 0; i < setup.rounds; ++i) {
      for (const auto& path : paths) {
        rounds[path->name()].push_back(run_workload(*path, workload, setup.duration));
      }
    }
    for (const auto& [path, all] : rounds) outcomes[&workload][path] = median_of_outcomes(all);
  }
  return outcomes;
}

// All paths at the same time: the chips are what takes the time, and each has its own.
Outcomes measure_slow(const AccessPaths& paths) {
  Outcomes outcomes;
  for (const Workload& workload : kWorkloads) {
    const auto duration = workload.clients == 1 ? kOneClient : kManyClients;
    std::map<std::string, std::future<Outcome>> running;
    for (const auto& path : paths) {
      running[path->name()] = std::async(std::launch::async, [&workload, &path, duration] {
        return run_workload(*path, workload, duration);
      });
    }
    for (auto& [path, outcome] : running) outcomes[&workload][path] = outcome.get();
  }
  return outcomes;
}

void add_fast_goals(std::vector<Goal>& goals, const Outcomes& outcomes) {
  const auto at_most = [&](const char* what, const Workload& workload, double limit) {
    goals.push_back({what, tpm_commands(outcomes, workload), Bound::AtMost, limit});
  };
  at_most("TPM commands for a signature, password", kPassword, kOwnCommands);
  at_most("TPM commands for a signature, session", kSession, kOwnCommands);
  at_most("TPM commands for a signature, 6 keys on 3 slots", kSixKeys, kSixKeyCommands);
  at_most("TPM commands for a repeated ReadPublic", kReadPublic, 0);
}

void add_chip_goals(std::vector<Goal>& goals, const std::string& chip, const Outcomes& outcomes) {
  const auto at_least = [&](const std::string& what, double value, double limit) {
    goals.push_back({chip + ": " + what, value, Bound::AtLeast, limit});
  };
  at_least("signatures by password, of the raw rate", of_raw(outcomes, kPassword), kChipRate);
  at_least("signatures by session, of the raw rate", of_raw(outcomes, kSession), kChipRate);
  at_least("16 clients, of the raw rate", of_raw(outcomes, kSixteen), kManyRate);
  at_least("64 clients, of the raw rate", of_raw(outcomes, kSixtyFour), kManyRate);
  for (const Workload* const many : {&kSixteen, &kSixtyFour}) {
    const std::string who = std::to_string(many->clients) + " clients, ";
    if (const auto rate = of_tabrmd(outcomes, *many, &Rate::per_second)) {
      at_least(who + "times tpm2-abrmd's rate", *rate, kManyOverTabrmd);
    }
    if (const auto wait = of_tabrmd(outcomes, *many, &Rate::p99)) {
      goals.push_back(
          {chip + ": " + who + "p99, times tpm2-abrmd's", *wait, Bound::AtMost, kWaitOfTabrmd});
    }
  }
}

void add_notes(std::vector<std::string>& notes) {
  notes.emplace_back(
      "raw: one client with one key, whatever the number of clients; of 6 keys it loads and "
      "flushes each for its turn");
  notes.emplace_back(
      "tpm2-abrmd reaches swtpm by a module of tpm2-tss that connects anew for each command, which "
      "costs it more than it would on a device");
  if (!have_tabrmd()) notes.emplace_back("tpm2-abrmd is not installed and was not measured");
}

}  // namespace

Section measure_signing(const Setup& setup) {
  const test::TempFolder folder;
  const PrivateBus bus(folder);
  const AccessPaths paths = build_roads(setup, kNoChip);
  const Outcomes outcomes = measure_fast(setup, paths);
  Section section{.name = "signing"};
  section.tables.push_back(
      table_of("P-256 keys on swtpm: TPM commands are those for one of a client", outcomes, paths));
  add_fast_goals(section.goals, outcomes);
  add_notes(section.notes);
  return section;
}

Section measure_chips(const Setup& setup) {
  const test::TempFolder folder;
  const PrivateBus bus(folder);
  std::vector<AccessPaths> paths;
  for (const Chip& chip : kChips) paths.push_back(build_roads(setup, chip));
  std::vector<std::future<Outcomes>> running;
  for (const AccessPaths& each : paths) {
    running.push_back(std::async(std::launch::async, [&each] { return measure_slow(each); }));
  }
  Section section{.name = "chips"};
  for (std::size_t i = 0; i < kChips.size(); ++i) {
    const std::string chip(kChips[i].name);
    const Outcomes outcomes = running[i].get();
    section.tables.push_back(
        table_of("P-256 keys on a TPM with the timings of " + chip, outcomes, paths[i]));
    add_chip_goals(section.goals, chip, outcomes);
  }
  add_notes(section.notes);
  return section;
}

}  // namespace tbs::bench
