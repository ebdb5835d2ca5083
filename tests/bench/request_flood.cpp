#include "tests/bench/request_flood.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <tss2/tss2_tpm2_types.h>

#include "tests/bench/daemon.h"
#include "tests/bench/flooding_process.h"
#include "tests/bench/samples.h"
#include "tests/integration/support/raw_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr uid_t kFlooder = 20001;
constexpr uid_t kNeighbour = 20002;
constexpr uid_t kNewcomer = 20003;
constexpr std::size_t kContexts = 512;
constexpr std::size_t kObservers = 32;
constexpr double kNeighbourGoal = 1;  // ms more than without the flood, p99
constexpr double kConnectGoal = 10;   // ms, p99
constexpr double kStatusGoal = 5;     // ms, p99: the loop's gap and a turn
constexpr double kMebibyte = 1 << 20;
constexpr std::size_t kFramesLength = 60000;

template <typename Message>
proto::Buffer repeated(const Message& message) {
  proto::Buffer frames;
  for (std::uint64_t id = 2; frames.size() < kFramesLength; ++id) {
    const proto::Buffer frame = test::frame_of(id, message);
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  return frames;
}

struct Kind {
  std::string name;
  proto::Buffer frames;
  bool reads = true;
  bool needs_context = false;  // an observer may not ask this
};

std::vector<Kind> kinds() {
  const proto::Buffer blocked = test::tpm::clear();
  const proto::Buffer known = test::tpm::get_property(TPM2_PT_FAMILY_INDICATOR);
  const proto::Buffer random = test::tpm::get_random(16);
  return {
      {"list-limits", repeated(proto::ListLimits{})},
      {"list-contexts", repeated(proto::ListContexts{})},
      {"list-contexts, unread", repeated(proto::ListContexts{}), false},
      {"list-activity", repeated(proto::ListActivity{})},
      {"daemon-status", repeated(proto::DaemonStatus{})},
      {"device-info", repeated(proto::DeviceInfo{})},
      {"lockout-status", repeated(proto::LockoutStatus{})},
      {"lockout-reset, denied", repeated(proto::LockoutReset{})},
      {"cancel", repeated(proto::Cancel{}), true, true},
      {"cancel-context, denied", repeated(proto::CancelContext{.context = 1})},
      {"make-sticky", repeated(proto::MakeSticky{.handle = 0x80000000, .sticky = 1}), true, true},
      {"read-log, denied", repeated(proto::ReadLog{})},
      {"owner-auth, denied", repeated(proto::OwnerAuth{})},
      {"submit, blocked", repeated(proto::Submit{.command = blocked}), true, true},
      {"submit, from memory", repeated(proto::Submit{.command = known}), true, true},
      {"submit", repeated(proto::Submit{.command = random}), true, true},
      {"connecting", {}}};
}

// Does `once` again and again as another user until it is told to stop; the times in ms.
class Repeated {
 public:
  Repeated(uid_t user, std::chrono::milliseconds pause, std::function<std::function<void()>()> make)
      : thread_([this, user, pause, make = std::move(make)](const std::stop_token& stop) {
          try {
            become_user_in_thread(user);
            const auto once = make();
            while (!stop.stop_requested()) {
              const auto start = Clock::now();
              once();
              times_.push_back(micros_since(start) / 1000);
              if (pause.count() > 0) std::this_thread::sleep_for(pause);
            }
          } catch (const std::runtime_error&) {
            failed_ = true;
          }
        }) {}

  std::vector<double> stop() {
    thread_.request_stop();
    thread_.join();
    if (failed_) throw std::runtime_error("a client beside the flood was not served");
    return std::move(times_);
  }

 private:
  std::vector<double> times_;
  std::atomic<bool> failed_ = false;
  std::jthread thread_;
};

struct Measured {
  std::vector<double> neighbour;
  std::vector<double> newcomers;
  std::vector<double> status;
  double most = 0;  // MiB
};

double mebibytes(pid_t pid) {
  return static_cast<double>(test::resident_bytes(pid)) / kMebibyte;
}

Measured measure(const Daemon& daemon, std::chrono::duration<double> duration) {
  const std::string& path = daemon.everybodys_socket();
  Repeated neighbour(kNeighbour, std::chrono::milliseconds(0), [&] {
    const auto client = std::make_shared<test::RawClient>(test::RawClient::context(path));
    return [client] { client->call(test::tpm::get_random(16)); };
  });
  Repeated newcomers(kNewcomer, std::chrono::milliseconds(20), [&] {
    return [&path] { static_cast<void>(test::RawClient::context(path)); };
  });
  Repeated status(0, std::chrono::milliseconds(10), [&] {
    const auto client =
        std::make_shared<test::RawClient>(test::RawClient::observer(daemon.socket()));
    return [client] { client->ask(proto::DaemonStatus{}); };
  });
  Measured measured;
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
    measured.most = std::max(measured.most, mebibytes(daemon.pid()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  measured.neighbour = neighbour.stop();
  measured.newcomers = newcomers.stop();
  measured.status = status.stop();
  return measured;
}

}  // namespace

void add_request_floods(const Setup& setup, Section& section) {
  const auto duration = std::max(setup.duration, std::chrono::duration<double>(2));
  Table table{.title = "512 contexts and 32 observers of one account ask, beside others (ms)",
              .columns = {"request", "quiet p99", "p99", "connect p50", "connect p99", "status p99",
                          "status max", "MiB more"}};
  double neighbour_worst = 0;
  double connect_worst = 0;
  double status_worst = 0;
  for (const Kind& kind : kinds()) {
    const test::TempFolder folder;
    Daemon daemon(setup, folder, "tbsd", "embedded:" + folder.path() + "/tpm");
    daemon.wait_until_ready();
    const Measured quiet = measure(daemon, duration);
    const double before = mebibytes(daemon.pid());
    const FloodingProcess flood(
        {.socket = daemon.everybodys_socket(),
         .user = kFlooder,
         .contexts = kind.frames.empty() ? 0 : kContexts,
         .observers = kind.frames.empty() || kind.needs_context ? 0 : kObservers,
         .frames = kind.frames,
         .reads = kind.reads});
    const Measured flooded = measure(daemon, duration);
    const double quiet_p99 = percentile(quiet.neighbour, 0.99);
    const double p99 = percentile(flooded.neighbour, 0.99);
    table.rows.push_back({kind.name, quiet_p99, p99, percentile(flooded.newcomers, 0.5),
                          percentile(flooded.newcomers, 0.99), percentile(flooded.status, 0.99),
                          percentile(flooded.status, 1), flooded.most - before});
    neighbour_worst = std::max(neighbour_worst, p99 - quiet_p99);
    connect_worst = std::max(connect_worst, percentile(flooded.newcomers, 0.99));
    status_worst = std::max(status_worst, percentile(flooded.status, 0.99));
  }
  section.tables.push_back(std::move(table));
  section.goals.push_back({"ms that another account's command waits longer at p99, at worst",
                           neighbour_worst, Bound::AtMost, kNeighbourGoal});
  section.goals.push_back(
      {"ms to connect at p99, at worst", connect_worst, Bound::AtMost, kConnectGoal});
  section.goals.push_back({"ms for an administrator's status at p99, at worst", status_worst,
                           Bound::AtMost, kStatusGoal});
}

}  // namespace tbs::bench
