#include "client/tbsctl/command_line/suggestion.h"

#include <algorithm>

namespace tbs::ctl {
namespace {

// What is longer is no word of ours.
constexpr std::size_t kLongestWord = 32;

// How many steps bring one word to the other ("optimal string alignment").
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> steps(from.size() + 1,
                                              std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) steps[i][0] = i;
  for (std::size_t j = 0; j <= to.size(); ++j) steps[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t changed = from[i - 1] == to[j - 1] ? 0 : 1;
      steps[i][j] =
          std::min({steps[i - 1][j] + 1, steps[i][j - 1] + 1, steps[i - 1][j - 1] + changed});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
    }
  }
  return steps[from.size()][to.size()];
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view typed,
                                        const std::vector<std::string>& words) {
  if (typed.empty() || typed.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t fewest = std::max<std::size_t>(typed.size() / 3, 1) + 1;
  for (const std::string& word : words) {
    const std::size_t steps = distance(typed, word);
    if (steps > fewest || (steps == fewest && !nearest)) continue;
    if (steps == fewest) {
      nearest.reset();  // two are as near: none was meant more than the other
    } else {
      nearest = word;
      fewest = steps;
    }
  }
  return nearest;
}

}  // namespace tbs::ctl
