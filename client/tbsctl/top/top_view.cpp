#include "client/tbsctl/top/top_view.h"

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/top/top_text.h"

namespace tbs::ctl {

void TopView::look() {
  const auto looked = look_.look();
  if (looked) {
    header_ = top_header(*look_.sample(), look_.before(), look_.users());
  } else {
    header_ = {"tbsd does not answer; trying again", printable(looked.error().message)};
  }
  update();
}

void TopView::update() {
  const TopSample* const sample = look_.sample();
  if (sample == nullptr) return state_.show({});
  state_.show(top_rows(*sample, look_.before(), state_.group(), state_.filter(), look_.users()));
  if (state_.open()) state_.show_open(look_.holdings(*state_.open()));
}

bool TopView::type(std::string_view bytes, ScreenSize size) {
  for (const TopKey& key : keys_.read(bytes)) {
    const TopAction action = state_.press(key, rows_on_screen(header_, size));
    switch (action.kind) {
      case TopAction::Kind::Quit:
        return false;
      case TopAction::Kind::Look:
        look();
        break;
      case TopAction::Kind::Cancel:
        cancel(action.context);
        break;
      case TopAction::Kind::None:
        update();
        break;
    }
  }
  return true;
}

void TopView::cancel(std::uint64_t context) {
  const auto canceled = look_.cancel(context);
  look();
  state_.say(canceled ? "cancelled what context " + std::to_string(context) + " had outstanding"
                      : canceled.error().message);
}

}  // namespace tbs::ctl
