#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "daemon/app.h"
#include "daemon/config/load_config.h"
#include "daemon/config/tenant_tpm.h"
#include "daemon/device/device_spec.h"
#include "daemon/host/execute_again.h"
#include "daemon/host/log_setup.h"
#include "daemon/host/memory_reserve.h"
#include "daemon/host/service_notify.h"
#include "daemon/sandbox/daemon_filter.h"
#include "daemon/sandbox/filter.h"
#include "proto/tpm/structures.h"

namespace {

constexpr int kCouldNotStart = 1;

// In the environment of a program that is filtered: it stays so when it executes itself.
constexpr const char* kFiltered = "TBS_FILTERED";

void enter_sandbox(const tbs::Config& config) {
  if (!tbs::sandbox::kAvailable || !config.seccomp) return;
  if (std::getenv(kFiltered) != nullptr) {
    spdlog::info("the system calls are filtered as they were before this restart");
    return;
  }
  const auto spec = tbs::device::parse_device_spec(config.device);
  if (!spec) return;  // the next step says what is wrong with it
  const auto confined = tbs::sandbox::confine_daemon(
      {.starts_programs = tbs::config::starts_programs(config),
       .network = std::holds_alternative<tbs::device::SwtpmTcpSpec>(*spec),
       .executes_itself = std::getenv("NOTIFY_SOCKET") == nullptr});
  // A kernel without filters can have a TPM all the same.
  if (!confined) {
    spdlog::warn("{}; tbsd runs without (--seccomp=no)", confined.error());
  } else {
    ::setenv(kFiltered, "1", 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  tbs::tpm::silence_marshalling();
  try {
    const std::string program = tbs::host::program_path(argv[0]);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto loaded = tbs::load_config(arguments);
    if (!loaded) {
      std::fputs(loaded.error().text.c_str(), loaded.error().exit_code == 0 ? stdout : stderr);
      if (loaded.error().exit_code != 0) tbs::host::wait_after_failed_start();
      return loaded.error().exit_code;
    }
    tbs::host::set_up_memory_reserve();
    std::signal(SIGPIPE, SIG_IGN);
    tbs::host::set_up_log();
    enter_sandbox(loaded->config);
    tbs::App app(loaded->config, loaded->rules, program, arguments);
    return app.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tbsd: %s\n", error.what());
    tbs::host::wait_after_failed_start();
    return kCouldNotStart;
  }
}
