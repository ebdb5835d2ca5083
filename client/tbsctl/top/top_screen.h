#pragma once

// A page of `top` as lines of a terminal of this size.

#include <cstddef>
#include <string>
#include <vector>

#include "client/tbsctl/top/top_state.h"

namespace tbs::ctl {

struct ScreenSize {
  std::size_t width = 80;
  std::size_t height = 24;
  bool operator==(const ScreenSize&) const = default;
};

struct ScreenLine {
  std::string text;       // ASCII, no longer than the screen is wide
  bool reversed = false;  // filled up to its width
};

// As many lines as the screen has. `header`: the most important lines first.
std::vector<ScreenLine> draw_top(const TopState& state, const std::vector<std::string>& header,
                                 ScreenSize size);
// How many rows are seen at a time.
std::size_t rows_on_screen(const std::vector<std::string>& header, ScreenSize size);

}  // namespace tbs::ctl
