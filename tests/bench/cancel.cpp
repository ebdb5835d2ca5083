#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "tests/bench/daemon.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t kRsaBits = 2048;
// How long after the submission the cancel is called: the command has reached its place by then.
constexpr milliseconds kQueuedPause{1};
constexpr milliseconds kRunningPause{5};
constexpr milliseconds kMissed{500};
constexpr double kQueuedLimit = 1000;    // us, p99
constexpr double kRunningLimit = 20000;  // us, p99

struct Submitted {
  TBS_RESULT result;
  Clock::time_point returned;
};

// How long the cancelled Submit took to return, in microseconds; nothing when the command had
// ended before.
std::optional<double> cancel_once(TbsClient& client, const proto::Buffer& command,
                                  milliseconds pause) {
  auto submitted = std::async(std::launch::async, [&] {
    const TBS_RESULT result = client.submit(command);
    return Submitted{result, Clock::now()};
  });
  std::this_thread::sleep_for(pause);
  const auto start = Clock::now();
  client.cancel();
  if (submitted.wait_for(kMissed) != std::future_status::ready) {
    // The submitter had not come to it yet when the cancel was there already.
    client.cancel();
    submitted.wait();
    return std::nullopt;
  }
  const Submitted outcome = submitted.get();
  if (outcome.result != TBS_E_COMMAND_CANCELED) return std::nullopt;
  return Micros(outcome.returned - start).count();
}

void flush_created(TbsClient& client) {
  if (test::tpm::code(client.response()) != test::tpm::kSuccess) return;
  client.run(test::tpm::flush_context(test::tpm::handle(client.response())));
}

// Keeps a TPM busy with key generation until it is destroyed.
class KeyMaker {
 public:
  explicit KeyMaker(const std::string& socket) : client_(socket), thread_([this] { loop(); }) {}
  ~KeyMaker() {
    stopping_ = true;
    client_.cancel();
  }
  KeyMaker(const KeyMaker&) = delete;
  KeyMaker& operator=(const KeyMaker&) = delete;

 private:
  void loop() {
    while (!stopping_) {
      if (client_.submit(test::tpm::create_primary_rsa(kRsaBits)) == TBS_SUCCESS) {
        flush_created(client_);
      }
    }
  }

  TbsClient client_;
  std::atomic<bool> stopping_ = false;
  std::jthread thread_;
};

struct Limits {
  std::size_t samples;
  std::chrono::seconds time{8};
};

template <typename Once>
std::vector<double> collect(Limits limits, Once once) {
  std::vector<double> samples;
  const auto end = Clock::now() + limits.time;
  while (samples.size() < limits.samples && Clock::now() < end) {
    if (const auto sample = once()) samples.push_back(*sample);
  }
  return samples;
}

std::vector<double> cancel_queued(const Daemon& daemon) {
  const KeyMaker busy(daemon.socket());
  TbsClient client(daemon.socket());
  const proto::Buffer command = test::tpm::get_random(16);
  return collect({.samples = 1000}, [&] { return cancel_once(client, command, kQueuedPause); });
}

std::vector<double> cancel_running(const Daemon& daemon) {
  TbsClient client(daemon.socket());
  return collect({.samples = 200}, [&] {
    // Waits for the TPM to be free, so that what follows is run and not queued.
    client.run(test::tpm::get_random(16));
    const auto sample = cancel_once(client, test::tpm::create_primary_rsa(kRsaBits), kRunningPause);
    if (!sample) flush_created(client);
    return sample;
  });
}

// A TPM that does not react to anything, so that the grace time passes every time.
std::vector<double> cancel_detached(const Daemon& daemon, pid_t tpm) {
  TbsClient client(daemon.socket());
  const proto::Buffer command = test::tpm::get_random(16);
  return collect({.samples = 50}, [&] {
    test::freeze(tpm);
    const auto sample = cancel_once(client, command, kRunningPause);
    test::thaw(tpm);
    client.run(command);
    return sample;
  });
}

std::vector<Value> row(const char* what, const char* tpm, const std::vector<double>& samples) {
  return {what, tpm, static_cast<double>(samples.size()), percentile(samples, 0.5),
          percentile(samples, 0.99)};
}

}  // namespace

Section measure_cancel(const Setup& setup) {
  const test::TempFolder folder;
  Daemon embedded(setup, folder, "embedded", "embedded");
  embedded.wait_until_ready();
  const Swtpm tpm(folder);
  Daemon external(setup, folder, "external", tpm.device());
  external.wait_until_ready();

  const auto queued = cancel_queued(embedded);
  const auto running = cancel_running(embedded);
  const auto detached = cancel_detached(external, tpm.pid());
  Section section{.name = "cancel"};
  section.tables.push_back(
      {.title = "From Tbsip_Cancel_Commands until the cancelled Submit returns",
       .columns = {"command", "TPM", "samples", "p50 us", "p99 us"},
       .rows = {row("queued behind key generation", "embedded", queued),
                row("running key generation", "embedded", running),
                row("running, TPM does not react", "swtpm, stopped", detached)}});
  section.goals = {{"us until a queued command returns, p99", percentile(queued, 0.99),
                    Bound::AtMost, kQueuedLimit},
                   {"us until a running command returns, p99", percentile(running, 0.99),
                    Bound::AtMost, kRunningLimit},
                   {"us until it returns on a TPM that does not react, p99",
                    percentile(detached, 0.99), Bound::AtMost, kRunningLimit}};
  return section;
}

}  // namespace tbs::bench
