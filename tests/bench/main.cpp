// Measures tbsd beside what it stands between: prints tables and the goals they are held against.

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "tests/bench/sections.h"

namespace tbs::bench {
namespace {

struct Entry {
  const char* name;
  Section (*measure)(const Setup&);
  bool only_when_named = false;
};

constexpr std::array kSections = {
    Entry{"round-trips", measure_round_trips}, Entry{"cancel", measure_cancel},
    Entry{"daemon", measure_daemon},           Entry{"flood", measure_flood},
    Entry{"restart", measure_restart},         Entry{"capture", measure_capture},
    Entry{"signing", measure_signing},         Entry{"chips", measure_chips},
    Entry{"interfaces", measure_interfaces},   Entry{"kernel", measure_kernel, true},
    Entry{"scale", measure_scale, true},
};

void add_options(CLI::App& app, Setup& setup, double& seconds, bool& strict) {
  std::vector<std::string> names;
  for (const Entry& entry : kSections) names.emplace_back(entry.name);
  app.add_option("sections", setup.sections,
                 "What to measure; all but kernel and scale when none is named")
      ->check(CLI::IsMember(names));
  app.add_option("--tbsd", setup.tbsd, "The daemon to measure")
      ->default_val(TBS_BENCH_TBSD)
      ->check(CLI::ExistingFile);
  app.add_option("--tbsctl", setup.tbsctl, "The tbsctl that captures")
      ->default_val(TBS_BENCH_TBSCTL)
      ->check(CLI::ExistingFile);
  app.add_option("--seconds", seconds, "Length of one measurement")
      ->default_val(setup.duration.count())
      ->check(CLI::Range(0.05, 60.0));
  app.add_option("--rounds", setup.rounds, "How often each is repeated; medians are shown")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_flag("--json", setup.json, "Print one JSON document instead of tables");
  app.add_flag("--strict", strict, "Exit with 1 when a goal is missed");
}

bool chosen(const Setup& setup, const Entry& entry) {
  if (setup.sections.empty()) return !entry.only_when_named;
  return std::ranges::find(setup.sections, entry.name) != setup.sections.end();
}

// False when a goal was missed.
bool run(const Setup& setup) {
  nlohmann::json document = nlohmann::json::array();
  bool reached = true;
  for (const Entry& entry : kSections) {
    if (!chosen(setup, entry)) continue;
    const Section section = entry.measure(setup);
    reached = reached && std::ranges::all_of(section.goals, &Goal::reached);
    if (setup.json) {
      document.push_back(to_json(section));
    } else {
      std::fputs(to_text(section).c_str(), stdout);
      std::fflush(stdout);
    }
  }
  if (setup.json) std::puts(document.dump(2).c_str());
  return reached;
}

}  // namespace
}  // namespace tbs::bench

int main(int argc, char** argv) {
  CLI::App app("Measures tbsd beside the bare TPM.");
  tbs::bench::Setup setup;
  double seconds = 0;
  bool strict = false;
  tbs::bench::add_options(app, setup, seconds, strict);
  CLI11_PARSE(app, argc, argv);
  setup.duration = std::chrono::duration<double>(seconds);
  try {
    const bool reached = tbs::bench::run(setup);
    return strict && !reached ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 2;
  }
}
