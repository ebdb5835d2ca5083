#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/status/daemon_process.h"
#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

using Clock = std::chrono::steady_clock;

// A daemon that was asked is at it by then, however busy the machine is.
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kPause{20};

// What the daemon says about itself, and when it was started, which is between these two.
struct Look {
  proto::DaemonStatusReply status;
  Clock::time_point earliest;
  Clock::time_point latest;
};

std::expected<Look, Failure> look_at(Conversation& daemon) {
  const auto asked = Clock::now();
  auto status = daemon.ask(proto::DaemonStatus{});
  if (!status) return std::unexpected(status.error());
  if (status->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot get the status", status->status));
  }
  const std::chrono::microseconds uptime(
      static_cast<std::chrono::microseconds::rep>(status->uptime_us));
  return Look{
      .status = *std::move(status), .earliest = asked - uptime, .latest = Clock::now() - uptime};
}

Outcome send_request(const std::string& socket) {
  const auto process = restartable_daemon(socket);
  if (!process) return std::unexpected(process.error());
  if (::kill(*process, SIGUSR2) == 0) return {};
  std::string message = std::string("cannot restart tbsd: ") + std::strerror(errno);
  if (errno == EPERM) message += "; only root and the daemon's own user may";
  return std::unexpected(Failure{.exit = Exit::Failed, .message = std::move(message)});
}

void print(const Console& console, const proto::DaemonStatusReply& status) {
  if (console.json) {
    print_json(console.out, {{"version", status.version}, {"contexts", status.contexts}});
  } else {
    console.out << "tbsd " << printable(status.version) << " goes on, with " << status.contexts
                << " contexts.\n";
  }
}

}  // namespace

// The connection stays: a client's does.
Outcome run_restart(Conversation& daemon, const Console& console,
                    const std::function<Outcome()>& send) {
  const auto before = look_at(daemon);
  if (!before) return std::unexpected(before.error());
  if (auto sent = send(); !sent) return sent;
  const auto deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline) {
    const auto now = look_at(daemon);
    if (!now) return std::unexpected(now.error());
    if (now->earliest > before->latest) {
      print(console, now->status);
      return {};
    }
    std::this_thread::sleep_for(kPause);
  }
  return std::unexpected(
      Failure{.exit = Exit::Failed,
              .message = "tbsd was asked to restart and goes on as it was; its log says why"});
}

Subcommand restart_subcommand() {
  return {.name = "restart",
          .summary = "Have the daemon execute its program anew, and keep its clients",
          .help =
              "Its clients stay connected, with all that they have. For a daemon that no service "
              "manager runs, as after\nan upgrade; one that systemd runs is restarted by "
              "`systemctl restart`, which keeps as much.\nFor root and the daemon's own "
              "user.\n\nExample:\n  tbsctl restart",
          .needs = always(kObserver),
          .run = [](const Environment& environment) {
            return run_restart(*environment.daemon, environment.console,
                               [&environment] { return send_request(environment.socket); });
          }};
}

}  // namespace tbs::ctl
