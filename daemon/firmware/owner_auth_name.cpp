#include "daemon/firmware/owner_auth_name.h"

#include <algorithm>
#include <array>

namespace tbs::firmware {
namespace {

struct Row {
  std::uint32_t type;
  std::uint32_t tpm_version;
  std::string_view name;
};

constexpr std::array kRows = {
    Row{1, 1, "full"},    Row{2, 1, "admin"},        Row{3, 1, "user"},    Row{4, 1, "endorsement"},
    Row{1, 2, "lockout"}, Row{12, 2, "endorsement"}, Row{13, 2, "storage"}};

}  // namespace

std::string_view owner_auth_name(std::uint32_t type, std::uint32_t tpm_version) {
  const auto* const row = std::ranges::find_if(
      kRows, [&](const Row& each) { return each.type == type && each.tpm_version == tpm_version; });
  return row == kRows.end() ? std::string_view() : row->name;
}

}  // namespace tbs::firmware
