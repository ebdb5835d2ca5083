#pragma once

// A daemon with tenants, whose files are in a folder of the test's.

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/support/test_bench.h"

namespace tbs::test {

// Names, and what their files say besides the socket.
using TenantFiles = std::vector<std::pair<std::string, std::string>>;

class Tenants {
 public:
  explicit Tenants(const TenantFiles& tenants, std::vector<std::string> arguments = {}) {
    std::filesystem::create_directory(files());
    for (const auto& [name, text] : tenants) write(name, text);
    arguments.push_back("--tenants-dir=" + files());
    arguments.push_back("--state-dir=" + folder_.path());
    bench.emplace(DaemonOptions{.arguments = std::move(arguments)});
  }

  void write(const std::string& name, const std::string& text) {
    write_file(files() + "/" + name + ".conf", "socket = " + socket(name) + "\n" + text);
  }
  void remove(const std::string& name) { std::filesystem::remove(files() + "/" + name + ".conf"); }
  void reload() { bench->daemon().program().signal(SIGHUP); }
  [[nodiscard]] std::string socket(const std::string& name) const {
    return folder_ / (name + ".sock");
  }

 private:
  [[nodiscard]] std::string files() const { return folder_ / "tenants.d"; }
  TempFolder folder_;

 public:
  std::optional<TestBench> bench;
};

}  // namespace tbs::test
