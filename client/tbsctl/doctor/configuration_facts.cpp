#include <cerrno>
#include <cstdlib>

#include <unistd.h>

#include "client/tbsctl/doctor/configuration_check.h"

namespace tbs::ctl {
namespace {

constexpr const char* kUsual = "/etc/tbs/tbsd.conf";
constexpr std::chrono::seconds kCheckTime{10};

// A user's PATH leaves out where daemons are.
std::string program() {
  const char* const path = std::getenv("PATH");
  std::string rest = std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin:/sbin";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string candidate = rest.substr(0, end) + "/tbsd";
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return {};
}

}  // namespace

ConfigurationFacts configuration_facts(const std::string& path) {
  ConfigurationFacts facts{.path = path.empty() ? kUsual : path};
  facts.readable = ::access(facts.path.c_str(), R_OK) == 0 || errno == ENOENT;
  const std::string tbsd = program();
  if (tbsd.empty() || !facts.readable) return facts;
  std::vector<std::string> words = {tbsd, "--check"};
  if (!path.empty()) words.insert(words.end(), {"--config", path});
  facts.check = run_program(words, kCheckTime);
  return facts;
}

}  // namespace tbs::ctl
