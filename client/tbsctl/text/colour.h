#pragma once

// How good or bad a word is, for who reads it on a terminal. Where the output goes somewhere else,
// and where colours are not wanted, the word alone is printed.

#include <cstdint>
#include <ostream>
#include <string_view>

namespace tbs::ctl {

enum class Colour : std::uint8_t {
  Plain,
  Good,     // green
  Caution,  // yellow
  Bad,      // red
};

struct Coloured {
  Colour colour;
  std::string_view text;
};

// Only a stream behind a TerminalFilter knows colours.
std::ostream& operator<<(std::ostream& out, const Coloured& word);

}  // namespace tbs::ctl
