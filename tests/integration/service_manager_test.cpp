// What the service manager is told: readiness once the TPM is known, reloading, stopping, and the
// watchdog's beat, also while the TPM is busy.

#include <csignal>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"

using namespace tbs::test;
using namespace std::chrono_literals;

namespace {

// A service manager's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const TempFolder& folder)
      : path_(folder / "notify.sock"), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  ~NotifySocket() { ::close(socket_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  [[nodiscard]] std::string environment() const { return "NOTIFY_SOCKET=" + path_; }

  // Whether a message with this line comes; messages before it are dropped.
  bool hears(const std::string& line, std::chrono::milliseconds patience = kPatience) {
    return eventually([&] { return ("\n" + next() + "\n").contains("\n" + line + "\n"); },
                      patience);
  }

 private:
  std::string next() {
    pollfd wanted{.fd = socket_, .events = POLLIN, .revents = 0};
    char text[2048];
    if (::poll(&wanted, 1, 20) <= 0) return {};
    const ssize_t size = ::recv(socket_, text, sizeof(text), 0);
    return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
  }

  std::string path_;
  int socket_;
};

}  // namespace

TEST_CASE("the service manager hears of readiness, reloading and stopping") {
  TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment()}});
  CHECK(manager.hears("READY=1"));
  bench.daemon().program().signal(SIGHUP);
  CHECK(manager.hears("RELOADING=1"));
  CHECK(manager.hears("READY=1"));
  bench.daemon().program().signal(SIGTERM);
  CHECK(manager.hears("STOPPING=1"));
  CHECK(bench.daemon().wait_for_exit() == 0);
}

TEST_CASE("the watchdog is fed, also while the TPM does not answer") {
  TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment(), "WATCHDOG_USEC=200000"}});
  RawClient client = bench.context();
  for (int i = 0; i < 3; ++i) CHECK(manager.hears("WATCHDOG=1"));
  bench.occupy_tpm(client);
  for (int i = 0; i < 5; ++i) CHECK(manager.hears("WATCHDOG=1"));
  bench.thaw_tpm();
  client.receive_result();
}

TEST_CASE("without a TPM the daemon is ready, and says what is wrong") {
  TempFolder folder;
  NotifySocket manager(folder);
  DaemonProcess daemon(folder, {.device = folder / "tpm0", .environment = {manager.environment()}});
  CHECK(manager.hears("READY=1"));
  CHECK(daemon.stop() == 0);
}
