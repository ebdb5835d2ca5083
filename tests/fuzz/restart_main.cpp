// Plays the histories of a fuzz target with restarts: restart_NAME CORPUS HISTORIES [FIRST SEED].
// Each input of the corpus is played with one restart, at each of its places in turn (of those that
// are very long, at some); then so many histories of chance, with restarts at many places.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/support/restarting_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace tbs::test;
using When = Restarts::When;

// More restarts of one history would take too long.
constexpr std::uint64_t kMostPlaces = 300;

std::vector<std::uint8_t> content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  return {bytes.begin(), bytes.end()};
}

void play(const std::vector<std::uint8_t>& history, const Restarts& restarts) {
  fixed_restarts() = restarts;
  LLVMFuzzerTestOneInput(history.data(), history.size());
}

// Returns how many restarts that were.
std::uint64_t play_at_each_place(const std::vector<std::uint8_t>& history) {
  inputs_told() = 0;
  play(history, {.when = When::Never});
  const std::uint64_t inputs = inputs_told();
  const std::uint64_t step = inputs / kMostPlaces + 1;
  std::uint64_t restarts = 0;
  for (std::uint64_t at = 1; at <= inputs; at += step, ++restarts) {
    play(history, {.when = When::Once, .at = at, .snapshot_every = 1 + at % 40});
  }
  play(history, {.when = When::Every});
  return restarts;
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) return 2;
  std::uint64_t restarts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(values[1])) {
    restarts += play_at_each_place(content(entry.path()));
  }
  const auto histories = static_cast<std::uint32_t>(std::atoi(values[2]));
  const auto first = static_cast<std::uint32_t>(count > 3 ? std::atoi(values[3]) : 0);
  for (std::uint32_t seed = first; seed < first + histories; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> history(1 + random() % 1500);
    std::ranges::generate(history, [&random] { return static_cast<std::uint8_t>(random()); });
    play(history, {.when = When::Some, .seed = seed, .snapshot_every = 1 + random() % 64});
  }
  std::printf("%llu single restarts, %u histories of chance\n",
              static_cast<unsigned long long>(restarts), histories);
  return restarts == 0 ? 1 : 0;
}
