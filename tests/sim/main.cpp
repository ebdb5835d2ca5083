// Runs tbsd in simulated time: one seed, one run. Each run has a process of its own, so that no run
// has anything of another one, and a crash is a finding like any other.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "tests/sim/plan.h"
#include "tests/sim/simulation.h"

namespace {

using namespace tbs::sim;

constexpr std::size_t kMostText = 400;

// What a run says to who has started it.
struct Report {
  std::uint64_t digest = 0;
  Time simulated = 0;
  Time connected = 0;
  Time when = 0;
  std::uint64_t commands = 0;
  std::uint64_t restarts = 0;
  std::array<char, 32> invariant{};
  std::array<char, kMostText> how{};
};

void put(std::span<char> to, const std::string& text) {
  std::snprintf(to.data(), to.size(), "%s", text.c_str());
}

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::uint64_t hours = 0;     // of clients
  std::uint64_t minutes = 0;   // of real time
  std::uint64_t patience = 0;  // seconds of real time for one run
  bool shrink = true;
  bool verbose = false;
  bool logs = false;
  std::vector<std::uint64_t> without;  // numbers of users
  std::optional<std::uint64_t> restarts;
  bool sound = false;        // the device does not fail
  std::uint64_t length = 0;  // minutes
};

Plan plan_for(std::uint64_t seed, const Options& options) {
  Plan plan = plan_of(seed);
  std::erase_if(plan.users, [&](const UserPlan& user) {
    return std::ranges::find(options.without, user.number) != options.without.end();
  });
  if (options.restarts) plan.restarts = *options.restarts;
  if (options.sound) plan.chip = {.speed = plan.chip.speed};
  if (options.length != 0) plan.length = options.length * kMinute;
  return plan;
}

Report simulate(const Plan& plan, const Options& options) {
  spdlog::set_level(options.logs ? spdlog::level::debug : spdlog::level::off);
  Simulation simulation(plan, options.verbose);
  const Outcome outcome = simulation.run();
  Report report{.digest = outcome.digest,
                .simulated = outcome.simulated,
                .connected = outcome.connected,
                .when = outcome.when,
                .commands = outcome.commands,
                .restarts = outcome.restarts};
  put(report.invariant, outcome.invariant);
  put(report.how, outcome.how);
  return report;
}

Report run_apart(const Plan& plan, const Options& options) {
  std::array<int, 2> ends{};
  std::fflush(stdout);
  if (pipe(ends.data()) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    alarm(static_cast<unsigned>(options.patience));
    const Report report = simulate(plan, options);
    std::fflush(stdout);
    const bool told = write(ends[1], &report, sizeof(report)) == sizeof(report);
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Report report;
  const ssize_t size = read(ends[0], &report, sizeof(report));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (size != sizeof(report)) {
    report = {};
    const bool endless = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    put(report.invariant, endless ? "no-hang" : "crash");
    put(report.how, endless ? "the run does not end"
                            : "the process ended with status " + std::to_string(status));
  }
  return report;
}

bool failed(const Report& report) {
  return report.invariant[0] != 0;
}

std::string command_for(std::uint64_t seed, const Options& options) {
  std::string text = "tbs_sim --seed " + std::to_string(seed);
  for (const std::uint64_t user : options.without) text += " --without " + std::to_string(user);
  if (options.restarts) text += " --restarts " + std::to_string(*options.restarts);
  if (options.sound) text += " --sound";
  if (options.length != 0) text += " --length " + std::to_string(options.length);
  return text;
}

// Takes away what the failure does not need.
Options shrunk(std::uint64_t seed, Options options, const Report& found) {
  const auto same = [&](const Options& smaller) {
    const Report report = run_apart(plan_for(seed, smaller), smaller);
    return std::strcmp(report.invariant.data(), found.invariant.data()) == 0;
  };
  const auto try_with = [&](auto change) {
    Options smaller = options;
    change(smaller);
    if (same(smaller)) options = smaller;
  };
  try_with([](Options& smaller) { smaller.sound = true; });
  try_with([](Options& smaller) { smaller.restarts = 0; });
  for (const UserPlan& user : plan_of(seed).users) {
    try_with([&](Options& smaller) { smaller.without.push_back(user.number); });
  }
  for (std::uint64_t minutes = 40; minutes >= 5; minutes /= 2) {
    try_with([&](Options& smaller) { smaller.length = minutes; });
  }
  return options;
}

double hours_of(Time time) {
  return static_cast<double>(time) / static_cast<double>(kHour);
}

int usage() {
  std::puts(
      "tbs_sim [OPTION]...\n"
      "Runs tbsd in simulated time. Each seed is one run, the same on every machine.\n\n"
      "  --seed N           this run alone\n"
      "  --seeds A..B       these\n"
      "  --hours H          from the first seed on, until clients have been simulated so long\n"
      "  --minutes M        the same, for so much real time\n"
      "  --patience S       a run that takes so many seconds of real time has failed\n"
      "  --no-shrink        does not look for a smaller run that fails in the same way\n"
      "  --trace            prints what happens\n"
      "  --logs             prints the daemon's log\n"
      "  --without N        the run without the user of this number; more than once\n"
      "  --restarts N       with so many restarts\n"
      "  --sound            with a device that does not fail\n"
      "  --length M         of so many minutes, before all leave");
  return 2;
}

bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--no-shrink")
      options.shrink = false;
    else if (word == "--trace")
      options.verbose = true;
    else if (word == "--logs")
      options.logs = true;
    else if (word == "--sound")
      options.sound = true;
    else if (i + 1 == count)
      return false;
    else {
      char* rest = nullptr;
      const std::uint64_t number = std::strtoull(words[++i], &rest, 10);
      const bool range = word == "--seeds" && std::strncmp(rest, "..", 2) == 0;
      if (rest == words[i] || (*rest != 0 && !range)) return false;
      if (word == "--seed")
        options.first = options.last = number;
      else if (range) {
        options.first = number;
        options.last = std::strtoull(rest + 2, &rest, 10);
        if (*rest != 0) return false;
      } else if (word == "--hours")
        options.hours = number;
      else if (word == "--minutes")
        options.minutes = number;
      else if (word == "--patience")
        options.patience = number;
      else if (word == "--without")
        options.without.push_back(number);
      else if (word == "--restarts")
        options.restarts = number;
      else if (word == "--length")
        options.length = number;
      else
        return false;
    }
  }
  return true;
}

std::uint64_t real_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
         static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!parse(count, words, options)) return usage();
  if ((options.hours != 0 || options.minutes != 0) && options.last <= options.first) {
    options.last = UINT64_MAX;
  }
  const std::uint64_t begun = real_milliseconds();
  Report all;
  std::uint64_t runs = 0;
  bool found = false;
  for (std::uint64_t seed = options.first; seed <= options.last && !found; ++seed) {
    const Report report = run_apart(plan_for(seed, options), options);
    ++runs;
    all.digest = mixed(all.digest ^ report.digest);
    all.simulated += report.simulated;
    all.connected += report.connected;
    all.commands += report.commands;
    all.restarts += report.restarts;
    if (failed(report)) {
      found = true;
      std::printf("seed %llu: %s: %s, after %.1f s (digest %016llx)\n",
                  static_cast<unsigned long long>(seed), report.invariant.data(), report.how.data(),
                  static_cast<double>(report.when) / 1e9,
                  static_cast<unsigned long long>(report.digest));
      std::printf("again: %s\n", command_for(seed, options).c_str());
      if (options.shrink) {
        std::printf("smaller: %s\n", command_for(seed, shrunk(seed, options, report)).c_str());
      }
    }
    if (options.hours != 0 && hours_of(all.connected) >= static_cast<double>(options.hours)) break;
    if (options.minutes != 0 && real_milliseconds() - begun >= options.minutes * 60'000) break;
  }
  const double real = static_cast<double>(real_milliseconds() - begun) / 1000;
  std::printf(
      "%llu runs, %.1f h simulated, %.1f client-hours, %llu commands, %llu restarts in %.1f s: "
      "%.0f times as fast; digest %016llx\n",
      static_cast<unsigned long long>(runs), hours_of(all.simulated), hours_of(all.connected),
      static_cast<unsigned long long>(all.commands), static_cast<unsigned long long>(all.restarts),
      real, real > 0 ? static_cast<double>(all.simulated) / 1e9 / real : 0.0,
      static_cast<unsigned long long>(all.digest));
  return found ? 1 : 0;
}
