#pragma once

// What somebody may have meant who mistyped a word.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::ctl {

// The one of `words` that needs the fewest letters put in, left out, changed or swapped with the
// next; nothing when that is more than a third of the letters, or no word is nearest.
std::optional<std::string> nearest_word(std::string_view typed,
                                        const std::vector<std::string>& words);

}  // namespace tbs::ctl
