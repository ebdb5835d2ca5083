#pragma once

// What a terminal can show.

#include <cstdint>
#include <optional>
#include <ostream>

#include "client/tbsctl/text/named.h"

namespace tbs::ctl {

enum class ColourChoice : std::uint8_t {
  Auto,  // on a terminal that has them, unless NO_COLOR is set (no-color.org)
  Always,
  Never,
};
inline constexpr Names<ColourChoice, 3> kColourChoices = {{
    {ColourChoice::Auto, "auto"},
    {ColourChoice::Always, "always"},
    {ColourChoice::Never, "never"},
}};

struct Terminal {
  bool colours = false;
  std::optional<std::size_t> columns;  // nothing when it is no terminal, or does not tell
};

// What this descriptor leads to.
Terminal terminal_at(int descriptor, ColourChoice choice);

// How wide a line of this stream may be; nothing when that is all the same.
std::optional<std::size_t> columns_of(const std::ostream& out);

}  // namespace tbs::ctl
