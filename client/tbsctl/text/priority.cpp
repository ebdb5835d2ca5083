#include "client/tbsctl/text/priority.h"

#include <algorithm>
#include <array>

#include "client/tbsctl/text/number.h"

namespace tbs::ctl {
namespace {

struct Row {
  std::uint32_t value;
  std::string_view name;
};

// TBS_COMMAND_PRIORITY_* of tbs.h.
constexpr std::array kRows = {
    Row{100, "low"},    Row{kPriorityNormal, "normal"}, Row{300, "high"},
    Row{400, "system"}, Row{0x80000000U, "max"},
};

}  // namespace

std::optional<std::string_view> priority_name(std::uint32_t priority) {
  const auto* const row = std::ranges::find(kRows, priority, &Row::value);
  if (row == kRows.end()) return std::nullopt;
  return row->name;
}

std::optional<std::uint32_t> parse_priority(std::string_view text) {
  const auto* const row = std::ranges::find(kRows, text, &Row::name);
  if (row != kRows.end()) return row->value;
  return parse_number<std::uint32_t>(text);
}

}  // namespace tbs::ctl
