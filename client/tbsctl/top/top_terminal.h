#pragma once

// The terminal that `top` draws on: taken while this lives, and given back as it was whatever ends
// the program or stops it for a while. Nothing is decided here.

#include <optional>
#include <string>
#include <vector>

#include "client/socket_stream.h"
#include "client/tbsctl/text/failure.h"
#include "client/tbsctl/top/top_screen.h"

namespace tbs::ctl {

class TopTerminal {
 public:
  // Whether standard input and output are a terminal that can be drawn on.
  static bool usable();

  // There can be one at a time.
  TopTerminal();
  ~TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;

  [[nodiscard]] ScreenSize size() const;
  // False when the terminal takes nothing more.
  [[nodiscard]] bool draw(const std::vector<ScreenLine>& lines) const;
  // What was typed, as soon as there is something. Empty when nothing came until the deadline, or
  // when there is something to be drawn anew; nothing when the terminal is gone.
  std::optional<std::string> wait(client::Clock::time_point deadline);
};

}  // namespace tbs::ctl
