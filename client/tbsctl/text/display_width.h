#pragma once

// How much room UTF-8 takes on a terminal, whatever the user's locale is.

#include <cstddef>
#include <string>
#include <string_view>

namespace tbs::ctl {

// In columns. A character of East Asia takes two, an accent that belongs to the letter before none.
std::size_t display_width(std::string_view text);

// The text, or its beginning and "..." in at most so many columns. Characters stay whole.
std::string shortened(std::string_view text, std::size_t columns);

}  // namespace tbs::ctl
