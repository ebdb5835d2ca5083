// A client that sends all it can and never reads, beside one that behaves: what it costs the daemon
// in memory, and the other in waiting.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/daemon.h"
#include "tests/bench/relay.h"
#include "tests/bench/request_flood.h"
#include "tests/bench/samples.h"
#include "tests/bench/sections.h"
#include "tests/bench/swtpm.h"
#include "tests/bench/tabrmd.h"
#include "tests/bench/tabrmd_client.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/raw_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr double kGrowthLimit = 4;    // MiB
constexpr double kWaitingLimit = 20;  // ms, p99
constexpr std::chrono::milliseconds kLook{20};
constexpr double kMebibyte = 1 << 20;

// Sends what there is room for; the bytes that were taken.
using Send = std::function<std::size_t(proto::Bytes)>;

struct Flooded {
  double before = 0;  // MiB in RAM
  double most = 0;
  double taken = 0;     // MiB of the flooder's
  double answered = 0;  // commands of the other client
  double idle_p50 = 0;  // us
  double p50 = 0;
  double p99 = 0;
};

// Sends the same frame over and over from a thread of its own, and never reads.
class Flooder {
 public:
  Flooder(Send send, proto::Buffer frame)
      : thread_([this, send = std::move(send), frame = std::move(frame)](std::stop_token stop) {
          try {
            run(stop, send, frame);
          } catch (const std::runtime_error&) {
            // The daemon has gone.
          }
        }) {}

  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  void run(const std::stop_token& stop, const Send& send, proto::Bytes frame) {
    std::size_t at = 0;
    while (!stop.stop_requested()) {
      const std::size_t sent = send(frame.subspan(at));
      taken_ += sent;
      at = (at + sent) % frame.size();
      if (sent == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  std::atomic<std::size_t> taken_ = 0;
  std::jthread thread_;
};

// Asks for random numbers one after the other until it is told to stop or the daemon has gone.
class Neighbour {
 public:
  explicit Neighbour(Client& client)
      : thread_([this, &client](std::stop_token stop) {
          const proto::Buffer command = test::tpm::get_random(16);
          try {
            while (!stop.stop_requested()) {
              begin();
              client.run(command);
              end();
            }
          } catch (const std::runtime_error&) {
            // The daemon was ended to end the waiting.
          }
        }) {}

  // What has been answered, in us; the one that waits with the time it has waited so far.
  std::vector<double> times(std::size_t& answered) {
    const std::lock_guard lock(mutex_);
    std::vector<double> all = times_;
    answered = all.size();
    if (since_) all.push_back(micros_since(*since_));
    return all;
  }
  void stop() { thread_.request_stop(); }

 private:
  void begin() {
    const std::lock_guard lock(mutex_);
    since_ = Clock::now();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    times_.push_back(micros_since(*since_));
    since_.reset();
  }

  std::mutex mutex_;
  std::vector<double> times_;
  std::optional<Clock::time_point> since_;
  std::jthread thread_;
};

double mebibytes(pid_t pid) {
  return static_cast<double>(test::resident_bytes(pid)) / kMebibyte;
}

std::size_t send_some(int socket, proto::Bytes bytes) {
  const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

double idle_median(Client& client, std::chrono::duration<double> duration) {
  Neighbour alone(client);
  std::this_thread::sleep_for(duration);
  alone.stop();
  std::size_t answered = 0;
  return median(alone.times(answered));
}

Flooded flood(pid_t pid, Client& client, const Send& send, const proto::Buffer& frame,
              std::chrono::duration<double> duration) {
  Flooded flooded;
  flooded.idle_p50 = idle_median(client, duration);
  flooded.before = flooded.most = mebibytes(pid);
  Flooder flooder(send, frame);
  // It is at its worst once it is stuck, if that ever happens.
  std::this_thread::sleep_for(kLook);
  Neighbour neighbour(client);
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
    flooded.most = std::max(flooded.most, mebibytes(pid));
    std::this_thread::sleep_for(kLook);
  }
  std::size_t answered = 0;
  const std::vector<double> times = neighbour.times(answered);
  flooded.answered = static_cast<double>(answered);
  flooded.p50 = percentile(times, 0.5);
  flooded.p99 = percentile(times, 0.99);
  flooded.taken = static_cast<double>(flooder.taken()) / kMebibyte;
  neighbour.stop();
  // Somebody may wait for an answer that does not come.
  ::kill(pid, SIGKILL);
  return flooded;
}

Flooded flood_tbsd(const Setup& setup, std::chrono::duration<double> duration) {
  const test::TempFolder folder;
  const Swtpm tpm(folder);
  Daemon daemon(setup, folder, "tbsd", tpm.device());
  daemon.wait_until_ready();
  TbsClient client(daemon.socket());
  test::RawClient attacker = test::RawClient::context(daemon.socket());
  std::uint64_t id = 0;
  proto::Buffer rest;
  const proto::Buffer command = test::tpm::get_random(32);
  // A request id of its own for each, else the daemon hangs up.
  const Send send = [&](proto::Bytes) {
    if (rest.empty()) rest = test::submit_frame(++id, command);
    const std::size_t sent = attacker.send_some(rest);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(sent));
    return sent;
  };
  return flood(daemon.pid(), client, send, command, duration);
}

Flooded flood_tabrmd(std::chrono::duration<double> duration) {
  const test::TempFolder folder;
  const PrivateBus bus(folder);
  const Swtpm tpm(folder);
  const Relay relay(tpm.data_socket());
  const Tabrmd tabrmd(folder, "flood", "swtpm:host=127.0.0.1,port=" + std::to_string(relay.port()));
  TabrmdClient client(tabrmd.bus_name());
  TabrmdClient attacker(tabrmd.bus_name());
  const int socket = attacker.socket();
  return flood(
      tabrmd.pid(), client, [socket](proto::Bytes bytes) { return send_some(socket, bytes); },
      test::tpm::get_random(32), duration);
}

void add_row(Table& table, const char* path, const Flooded& flooded) {
  table.rows.push_back({path, flooded.before, flooded.most, flooded.taken, flooded.answered,
                        flooded.idle_p50 / 1000, flooded.p50 / 1000, flooded.p99 / 1000});
}

}  // namespace

Section measure_flood(const Setup& setup) {
  // Long enough for a daemon that buffers all to show it.
  const auto duration = std::max(setup.duration, std::chrono::duration<double>(5));
  Section section{.name = "flood"};
  Table table{
      .title = "A client that sends and never reads, beside one that asks for GetRandom(16)",
      .columns = {"path", "MiB before", "MiB at most", "MiB taken", "answered", "alone p50 ms",
                  "p50 ms", "p99 ms"}};
  if (have_tabrmd()) add_row(table, "tpm2-abrmd", flood_tabrmd(duration));
  const Flooded tbsd = flood_tbsd(setup, duration);
  add_row(table, "tbsd", tbsd);
  section.tables.push_back(std::move(table));
  section.goals.push_back(
      {"MiB that tbsd grows by", tbsd.most - tbsd.before, Bound::AtMost, kGrowthLimit});
  section.goals.push_back(
      {"ms of the other client at p99", tbsd.p99 / 1000, Bound::AtMost, kWaitingLimit});
  section.notes.emplace_back(
      "answered: commands of the other client in " +
      std::to_string(static_cast<int>(duration.count())) +
      " s; one that still waits at the end counts in the times with what it has waited");
  if (!have_tabrmd())
    section.notes.emplace_back("tpm2-abrmd is not installed and was not measured");
  if (::geteuid() == 0) {
    add_request_floods(setup, section);
  } else {
    section.notes.emplace_back("floods of other requests are measured by root only");
  }
  return section;
}

}  // namespace tbs::bench
