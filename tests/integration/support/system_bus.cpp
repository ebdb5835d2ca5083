#include "tests/integration/support/system_bus.h"

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <unistd.h>

#include "tests/integration/support/eventually.h"
#include "tests/integration/support/unix_socket.h"

namespace tbs::test {
namespace {

// As open as a session bus: what a system bus adds are rules about who may do what.
std::string configuration(const std::string& socket) {
  return R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=)" +
         socket + R"(</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
)";
}

}  // namespace

SystemBus::SystemBus(const TempFolder& folder)
    : socket_(folder / "bus.sock"), configuration_(folder / "bus.conf"), log_(folder / "bus.log") {
  write_file(configuration_, configuration(socket_));
  start();
}

void SystemBus::start() {
  program_ = std::make_unique<Program>(ProgramOptions{
      .command = {"dbus-daemon", "--config-file=" + configuration_, "--nofork", "--nopidfile"},
      .environment = {},
      .output = log_});
  const auto listens = [this] {
    const int probe = try_connect(socket_);
    if (probe >= 0) ::close(probe);
    return probe >= 0;
  };
  if (!eventually(listens)) {
    throw std::runtime_error("dbus-daemon does not start: " + read_file(log_));
  }
}

void SystemBus::stop() {
  program_->signal(SIGTERM);
  program_->wait();
  std::filesystem::remove(socket_);
}

}  // namespace tbs::test
