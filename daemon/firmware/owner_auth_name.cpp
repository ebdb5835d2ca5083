#include "daemon/firmware/owner_auth_name.h"

#include <algorithm>
#include <array>

namespace tbs::firmware {
namespace {

struct Row {
  std::uint32_t type;
  Family family;
  std::string_view name;
};

constexpr std::array kRows = {
    Row{1, Family::Tpm12, "full"},    Row{2, Family::Tpm12, "admin"},
    Row{3, Family::Tpm12, "user"},    Row{4, Family::Tpm12, "endorsement"},
    Row{1, Family::Tpm20, "lockout"}, Row{12, Family::Tpm20, "endorsement"},
    Row{13, Family::Tpm20, "storage"}};

}  // namespace

std::string_view owner_auth_name(std::uint32_t type, std::optional<Family> family) {
  const auto* const row = std::ranges::find_if(
      kRows, [&](const Row& each) { return each.type == type && each.family == family; });
  return row == kRows.end() ? std::string_view() : row->name;
}

}  // namespace tbs::firmware
