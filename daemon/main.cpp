#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "daemon/app.h"
#include "daemon/config.h"
#include "daemon/platform/log_setup.h"
#include "daemon/platform/memory_reserve.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto loaded = tbs::load_config(arguments);
    if (!loaded) {
      std::fputs(loaded.error().text.c_str(), loaded.error().exit_code == 0 ? stdout : stderr);
      return loaded.error().exit_code;
    }
    if (!loaded->rules) {
      std::fprintf(stderr, "tbsd: %s\n", loaded->rules.error().c_str());
      return 2;
    }
    tbs::platform::set_up_memory_reserve();
    std::signal(SIGPIPE, SIG_IGN);
    tbs::platform::set_up_log();
    tbs::App app(loaded->config, *loaded->rules, arguments);
    return app.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tbsd: %s\n", error.what());
    return 1;
  }
}
