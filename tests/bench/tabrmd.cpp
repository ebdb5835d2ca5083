#include "tests/bench/tabrmd.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tests/bench/tabrmd_client.h"
#include "tests/integration/support/eventually.h"

namespace tbs::bench {
namespace {

// A bus for one program and its clients: whoever reaches its socket may do everything.
std::string bus_configuration(const std::string& socket) {
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

std::vector<std::string> bus_command(const test::TempFolder& folder) {
  const std::string file = folder / "bus.conf";
  test::write_file(file, bus_configuration(folder / "bus.sock"));
  return {"dbus-daemon", "--config-file=" + file, "--nofork", "--nopidfile"};
}

std::vector<std::string> tabrmd_command(const std::string& bus_name, const std::string& tcti) {
  return {"tpm2-abrmd",          "--session",
          "--allow-root",        "--dbus-name=" + bus_name,
          "--tcti=" + tcti,      "--max-connections=100",
          "--max-transients=100"};
}

bool answers(const std::string& bus_name) {
  try {
    const TabrmdClient client(bus_name);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

PrivateBus::PrivateBus(const test::TempFolder& folder)
    : program_({.command = bus_command(folder), .environment = {}, .output = folder / "bus.log"}) {
  ::setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + folder / "bus.sock").c_str(), 1);
  // Attempts to connect before it is ready are nobody's business.
  ::setenv("TSS2_LOG", "all+none", 0);
  test::eventually([&] { return std::filesystem::is_socket(folder / "bus.sock"); });
}

Tabrmd::Tabrmd(const test::TempFolder& folder, const std::string& name, const std::string& tcti)
    : bus_name_("org.tbs.bench." + name),
      log_file_(folder / (name + "-abrmd.log")),
      program_(
          {.command = tabrmd_command(bus_name_, tcti), .environment = {}, .output = log_file_}) {
  wait_until_ready();
}

Tabrmd::~Tabrmd() {
  program_.signal(SIGTERM);
  program_.wait(std::chrono::seconds(10));
}

void Tabrmd::wait_until_ready() {
  const bool there = test::eventually([this] { return !program_.running() || answers(bus_name_); },
                                      std::chrono::seconds(30));
  if (!there || !program_.running()) {
    throw std::runtime_error("tpm2-abrmd does not start:\n" + test::read_file(log_file_));
  }
}

}  // namespace tbs::bench
