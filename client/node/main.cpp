// tbs-node: /dev/tbs0, a device node for programs that know no other way to a TPM.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <expected>
#include <string>

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <systemd/sd-daemon.h>

#include "client/node/cuse_node.h"
#include "client/node/node_loop.h"
#include "version.h"

namespace {

using tbs::node::NodeLoop;

// Not a file's: those are counted up from 1.
constexpr NodeLoop::Key kSignalKey = ~NodeLoop::Key{1};
constexpr NodeLoop::Key kWatchdogKey = ~NodeLoop::Key{2};

struct Options {
  tbs::node::NodeSettings node{.name = "tbs0",
                               .socket = "/run/tbs/node.sock",
                               .response_timeout = std::chrono::seconds(120)};
};

// Three descriptors for each open file: take what the service manager allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Before any thread is there, which all have it from this one.
int block_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return ::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

// A loop that stands still is ended by the service manager: programs that wait in a call of a
// stopped node cannot be killed.
void feed_watchdog(NodeLoop& loop, std::chrono::microseconds interval) {
  ::sd_notify(0, "WATCHDOG=1");
  loop.set_deadline(kWatchdogKey, NodeLoop::Clock::now() + interval / 3,
                    [&loop, interval] { feed_watchdog(loop, interval); });
}

int run(const Options& options) {
  raise_descriptor_limit();
  const int signals = block_signals();
  NodeLoop loop;
  tbs::node::CuseNode node(loop, options.node, [&options] {
    ::sd_notifyf(0, "READY=1\nSTATUS=/dev/%s", options.node.name.c_str());
  });
  if (!node.start()) {
    std::fprintf(stderr,
                 "tbs-node: there is no /dev/%s: that takes the kernel's module cuse (modprobe "
                 "cuse), root, and no other node of that name\n",
                 options.node.name.c_str());
    return 1;
  }
  bool asked_to_end = false;
  loop.watch(kSignalKey, signals, [&] {
    asked_to_end = true;
    loop.stop();
  });
  std::uint64_t watchdog = 0;
  if (::sd_watchdog_enabled(0, &watchdog) > 0) {
    feed_watchdog(loop, std::chrono::microseconds(watchdog));
  }
  loop.run();
  ::sd_notify(0, "STOPPING=1");
  if (asked_to_end) return 0;
  std::fprintf(
      stderr,
      "tbs-node: the kernel has ended /dev/%s; if it never was there, another node has the "
      "name: end that, or give --name\n",
      options.node.name.c_str());
  return 1;
}

std::string why_no_node_name(const std::string& name) {
  const bool fits =
      !name.empty() && name.size() < 64 && name != "." && name != ".." &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
          std::string::npos;
  return fits ? std::string() : "a name in /dev has letters, digits and _-. alone";
}

// What to run with, or the exit code of a program that has said all.
std::expected<Options, int> parse(int argc, char** argv) {
  Options options;
  CLI::App app("A device node for programs that know no other way to a TPM than /dev/tpmrm0");
  app.add_option("--name", options.node.name, "Name of the node in /dev (tbs0)")
      ->check(why_no_node_name);
  app.add_option("--socket", options.node.socket,
                 "Where tbsd listens for services like this (/run/tbs/node.sock)");
  std::uint32_t timeout = 120;
  app.add_option("--response-timeout", timeout,
                 "Seconds after which a response that nobody reads is dropped (120)")
      ->check(CLI::Range(1, 86400));
  app.set_version_flag("--version", "tbs-node " + std::string(tbs::kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(app.exit(error) == 0 ? 0 : 2);
  }
  options.node.response_timeout = std::chrono::seconds(timeout);
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = parse(argc, argv);
    return options ? run(*options) : options.error();
  } catch (const std::exception& error) {  // the system is short of memory
    std::fprintf(stderr, "tbs-node: %s\n", error.what());
    return 1;
  }
}
