#pragma once

// What is seen of a look: puts the rows into the state, does what keys ask for, and draws.

#include <string>
#include <string_view>
#include <vector>

#include "client/tbsctl/top/top_keys.h"
#include "client/tbsctl/top/top_look.h"
#include "client/tbsctl/top/top_screen.h"
#include "client/tbsctl/top/top_state.h"

namespace tbs::ctl {

class TopView {
 public:
  // It must outlive the view.
  TopView(TopLook& look, TopOrder order, TopGroup group) : look_(look), state_(order, group) {}

  // At the daemon, once more.
  void look();
  // What somebody has typed on a screen of this size; false when that is the end.
  bool type(std::string_view bytes, ScreenSize size);
  [[nodiscard]] std::vector<ScreenLine> draw(ScreenSize size) const {
    return draw_top(state_, header_, size);
  }

 private:
  void update();
  void cancel(std::uint64_t context);

  TopLook& look_;
  TopState state_;
  TopKeyReader keys_;
  std::vector<std::string> header_;
};

}  // namespace tbs::ctl
