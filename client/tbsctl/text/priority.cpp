#include "client/tbsctl/text/priority.h"

#include "client/tbsctl/text/number.h"

namespace tbs::ctl {

std::optional<std::string_view> priority_name(std::uint32_t priority) {
  return name_of(kPriorities, priority);
}

std::optional<std::uint32_t> parse_priority(std::string_view text) {
  const auto named = value_of(kPriorities, text);
  return named ? named : parse_number<std::uint32_t>(text);
}

}  // namespace tbs::ctl
