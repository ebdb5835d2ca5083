#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/system/system_error.hpp>
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

// What the event loop cannot be without.
std::string_view advice_for(int error) {
  switch (error) {
    case EMFILE:
      return "; raise LimitNOFILE in its unit";
    case ENFILE:
      return "; raise the sysctl fs.file-max";
    case ENOSPC:
      return "; raise the sysctl fs.epoll.max_user_watches";
    case ENOMEM:
    case ENOBUFS:
      return "; free memory";
    default:
      return "";
  }
}

std::string reason_of(const std::exception& error) {
  const auto* const refused = dynamic_cast<const boost::system::system_error*>(&error);
  if (refused == nullptr) return error.what();
  return fmt::format("the system refuses what the event loop needs: {}{}",
                     refused->code().message(), advice_for(refused->code().value()));
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
    std::fprintf(stderr, "tbsd: %s\n", reason_of(error).c_str());
    tbs::host::wait_after_failed_start();
    return kCouldNotStart;
  }
}
