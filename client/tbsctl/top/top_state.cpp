#include "client/tbsctl/top/top_state.h"

#include <algorithm>
#include <utility>

namespace tbs::ctl {
namespace {

using ActionKind = TopAction::Kind;
using KeyKind = TopKey::Kind;

// The next one of a table, and from the last the first.
template <typename Value, std::size_t kCount>
Value next_of(const Names<Value, kCount>& names, Value value) {
  const auto at = std::ranges::find(names, value, &Named<Value>::value);
  return at == names.end() || at + 1 == names.end() ? names.front().value : (at + 1)->value;
}

std::optional<TopOrder> order_of(char letter) {
  switch (letter) {
    case 't':
      return TopOrder::Time;
    case 'r':
      return TopOrder::Commands;
    case 'w':
      return TopOrder::Waiting;
    case 'm':
      return TopOrder::Memory;
    case 'n':
      return TopOrder::Name;
    default:
      return std::nullopt;
  }
}

}  // namespace

TopAction TopState::press(const TopKey& key, std::size_t page) {
  message_.clear();
  if (asking_) return answer(key);
  if (std::exchange(help_, false)) {
    const bool leaves = key == TopKey{.letter = 'q'};
    return {.kind = leaves ? ActionKind::Quit : ActionKind::None};
  }
  switch (key.kind) {
    case KeyKind::Letter:
      return press_letter(key.letter);
    case KeyKind::Enter:
      open_row();
      return {};
    case KeyKind::Escape:
      close();
      return {};
    default:
      move(key, page);
      return {};
  }
}

TopAction TopState::answer(const TopKey& key) {
  const std::uint64_t context = *std::exchange(asking_, std::nullopt);
  const bool yes = key == TopKey{.letter = 'y'} || key == TopKey{.letter = 'Y'};
  if (yes) return {.kind = ActionKind::Cancel, .context = context};
  say("nothing was cancelled");
  return {};
}

TopAction TopState::press_letter(char letter) {
  if (const auto order = order_of(letter)) {
    sort_by(*order);
    return {};
  }
  switch (letter) {
    case 'q':
      return {.kind = ActionKind::Quit};
    case 'h':
    case '?':
      help_ = true;
      break;
    case 's':
      sort_by(next_of(kTopOrders, order_));
      break;
    case 'g':
      open_.reset();
      filter_ = {};
      group_ = next_of(kTopGroups, group_);
      rows_.clear();
      chosen_ = 0;
      break;
    case 'c':
      ask_cancel();
      break;
    case ' ':
    case '\f':
      return {.kind = ActionKind::Look};
    default:
      break;
  }
  return {};
}

void TopState::move(const TopKey& key, std::size_t page) {
  const std::size_t most = open_ ? open_lines_.size() : rows_.size();
  const std::size_t below = open_ ? page : 1;
  const std::size_t last = most > below ? most - below : 0;
  std::size_t& at = open_ ? scrolled_ : chosen_;
  const std::size_t step = key.kind == KeyKind::PageUp || key.kind == KeyKind::PageDown
                               ? std::max<std::size_t>(page, 1)
                               : 1;
  switch (key.kind) {
    case KeyKind::Up:
    case KeyKind::PageUp:
      at -= std::min(at, step);
      break;
    case KeyKind::Down:
    case KeyKind::PageDown:
      at = std::min(last, at + step);
      break;
    case KeyKind::Home:
      at = 0;
      break;
    case KeyKind::End:
      at = last;
      break;
    default:
      break;
  }
  if (!open_ && !rows_.empty()) chosen_name_ = rows_[chosen_].name;
}

void TopState::sort_by(TopOrder order) {
  order_ = order;
  show(std::move(rows_));
}

void TopState::show(std::vector<TopRow> rows) {
  rows_ = std::move(rows);
  sort_rows(rows_, order_);
  const auto found = std::ranges::find(rows_, chosen_name_, &TopRow::name);
  if (found != rows_.end()) {
    chosen_ = static_cast<std::size_t>(found - rows_.begin());
    return;
  }
  chosen_ = rows_.empty() ? 0 : std::min(chosen_, rows_.size() - 1);
  chosen_name_ = rows_.empty() ? "" : rows_[chosen_].name;
}

void TopState::open_row() {
  if (open_) return close();
  if (rows_.empty()) return;
  if (group_ == TopGroup::Context) {
    open_ = rows_[chosen_].context;
    open_lines_.clear();
    scrolled_ = 0;
    return;
  }
  filter_ = {.group = group_, .name = rows_[chosen_].name};
  rows_.clear();
  chosen_ = 0;
  group_ = TopGroup::Context;
}

void TopState::close() {
  if (std::exchange(open_, std::nullopt)) return;
  if (filter_.group == TopGroup::Context) return;
  rows_.clear();
  group_ = filter_.group;
  chosen_name_ = std::exchange(filter_, {}).name;
}

void TopState::ask_cancel() {
  if (open_) {
    asking_ = open_;
  } else if (group_ != TopGroup::Context) {
    say("a cancel is for one context: open the row with Enter first");
  } else if (!rows_.empty()) {
    asking_ = rows_[chosen_].context;
  }
}

}  // namespace tbs::ctl
