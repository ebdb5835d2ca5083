#include <memory>

#include <sys/resource.h>

#include "tests/bench/daemon.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr std::size_t kContexts = 1000;
constexpr double kMemoryLimit = 64;  // MiB

double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

// From the start of the program to a response from the TPM, in milliseconds.
double start_once(const Setup& setup, const test::TempFolder& folder, const std::string& device) {
  const auto start = Clock::now();
  Daemon daemon(setup, folder, "start", device);
  daemon.wait_until_ready();
  return micros_since(start) / 1000;
}

std::vector<Value> start_row(const Setup& setup, const test::TempFolder& folder, const char* what,
                             const std::string& device) {
  std::vector<double> samples;
  for (unsigned i = 0; i < setup.rounds; ++i) samples.push_back(start_once(setup, folder, device));
  return {what, static_cast<double>(samples.size()), median(samples), percentile(samples, 1)};
}

Table measure_start(const Setup& setup) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  start_once(setup, folder, "embedded:" + folder / "state");  // makes the TPM
  return {.title = "From the start of tbsd to the first response",
          .columns = {"TPM", "starts", "median ms", "longest ms"},
          .rows = {start_row(setup, folder, "embedded, new", "embedded"),
                   start_row(setup, folder, "embedded, kept", "embedded:" + folder / "state"),
                   start_row(setup, folder, "swtpm", tpm.device())}};
}

// Each context takes a descriptor here and one in the daemon, which inherits the limit.
void allow_many_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t memory_with_contexts(const Daemon& daemon) {
  std::vector<std::unique_ptr<TbsClient>> clients;
  for (std::size_t i = 0; i < kContexts; ++i) {
    clients.push_back(std::make_unique<TbsClient>(daemon.socket()));
    expect_success(clients.back()->run(test::tpm::get_random(16)), "GetRandom");
  }
  return test::resident_bytes(daemon.pid());
}

Table measure_memory(const Setup& setup, std::vector<Goal>& goals) {
  allow_many_descriptors();
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  Daemon daemon(setup, folder, "memory", tpm.device(), {"--max-contexts=1100"});
  daemon.wait_until_ready();
  const double idle = mebibytes(test::resident_bytes(daemon.pid()));
  const double full = mebibytes(memory_with_contexts(daemon));
  goals.push_back({"MiB resident with 1000 contexts", full, Bound::AtMost, kMemoryLimit});
  return {.title = "Memory of tbsd",
          .columns = {"contexts", "resident MiB"},
          .rows = {{0.0, idle}, {static_cast<double>(kContexts), full}}};
}

}  // namespace

Section measure_daemon(const Setup& setup) {
  Section section{.name = "daemon"};
  section.tables.push_back(measure_start(setup));
  section.tables.push_back(measure_memory(setup, section.goals));
  return section;
}

}  // namespace tbs::bench
