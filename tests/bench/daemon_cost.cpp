#include <memory>

#include "tests/bench/daemon.h"
#include "tests/bench/expect_success.h"
#include "tests/bench/many_contexts.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/signing_key.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr std::size_t kContexts = 1000;
constexpr unsigned kKeys = 3;
constexpr double kMemoryLimit = 64;  // MiB

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

// From the start of the program to a response from the TPM, in milliseconds; and how much of that
// tbsd was on a processor.
struct Start {
  double took;
  double processor;
};

Start start_once(const Setup& setup, const test::TempFolder& folder, const std::string& device) {
  const auto start = Clock::now();
  Daemon daemon(setup, folder, "start", device);
  daemon.wait_until_ready();
  const double took = micros_since(start) / 1000;
  return {.took = took, .processor = Micros(test::processor_time(daemon.pid())).count() / 1000};
}

std::vector<Value> start_row(const Setup& setup, const test::TempFolder& folder, const char* what,
                             const std::string& device) {
  std::vector<double> samples;
  std::vector<double> processor;
  for (unsigned i = 0; i < setup.rounds; ++i) {
    const Start start = start_once(setup, folder, device);
    samples.push_back(start.took);
    processor.push_back(start.processor);
  }
  return {what, static_cast<double>(samples.size()), median(samples), percentile(samples, 1),
          median(processor)};
}

Table measure_start(const Setup& setup) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  start_once(setup, folder, "embedded:" + folder / "state");  // makes the TPM
  return {.title = "From the start of tbsd to the first response",
          .columns = {"TPM", "starts", "median ms", "longest ms", "tbsd's CPU ms"},
          .rows = {start_row(setup, folder, "embedded, new", "embedded"),
                   start_row(setup, folder, "embedded, kept", "embedded:" + folder / "state"),
                   start_row(setup, folder, "swtpm", tpm.device())}};
}

using Clients = std::vector<std::unique_ptr<TbsClient>>;

Clients open_contexts(const Daemon& daemon) {
  Clients clients;
  for (std::size_t i = 0; i < kContexts; ++i) {
    clients.push_back(std::make_unique<TbsClient>(daemon.socket()));
    expect_success(clients.back()->run(test::tpm::get_random(16)), "GetRandom");
  }
  return clients;
}

// How many keys there are afterwards.
double make_keys(const Clients& clients) {
  std::uint32_t unique = 0;
  for (const auto& client : clients) {
    for (unsigned i = 0; i < kKeys; ++i) create_key(*client, ++unique);
  }
  return unique;
}

Table measure_memory(const Setup& setup, std::vector<Goal>& goals) {
  allow_many_descriptors();
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  Daemon daemon(setup, folder, "memory", tpm.device(), {"--max-contexts=1100"});
  daemon.wait_until_ready();
  const auto resident = [&] { return mebibytes(test::resident_bytes(daemon.pid())); };
  Table table{.title = "Memory of tbsd",
              .columns = {"contexts", "keys", "resident MiB"},
              .rows = {{0.0, 0.0, resident()}}};
  const Clients clients = open_contexts(daemon);
  const auto contexts = static_cast<double>(clients.size());
  table.rows.push_back({contexts, 0.0, resident()});
  const double keys = make_keys(clients);
  table.rows.push_back({contexts, keys, resident()});
  goals.push_back(
      {"MiB resident with 1000 contexts of 3 keys", resident(), Bound::AtMost, kMemoryLimit});
  return table;
}

}  // namespace

Section measure_daemon(const Setup& setup) {
  Section section{.name = "daemon"};
  section.tables.push_back(measure_start(setup));
  section.tables.push_back(measure_memory(setup, section.goals));
  return section;
}

}  // namespace tbs::bench
