#include "proto/tpm/command_schema.h"

#include <algorithm>

namespace tbs::tpm {

std::size_t CommandSchema::handle_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(handles, [](std::string_view name) { return !name.empty(); }));
}

const CommandSchema* find_command_schema(std::uint32_t code) {
  for (const auto table :
       {management_command_schemas(), object_command_schemas(), policy_command_schemas()}) {
    const auto row = std::ranges::lower_bound(table, code, {}, &CommandSchema::code);
    if (row != table.end() && row->code == code) return &*row;
  }
  return nullptr;
}

}  // namespace tbs::tpm
