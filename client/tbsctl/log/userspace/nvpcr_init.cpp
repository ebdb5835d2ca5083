#include "client/tbsctl/log/userspace/nvpcr_init.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/number.h"
#include "proto/tpm/constants.h"

namespace tbs::ctl {
namespace {

// systemd.io, "TPM2 NVINDEX ASSIGNMENTS".
struct NvPcrName {
  std::string_view name;
  std::uint32_t number;
};
constexpr std::array kNvPcrNames = {
    NvPcrName{"hardware", 0x01D10200},    NvPcrName{"cryptsetup", 0x01D10201},
    NvPcrName{"verity", 0x01D10202},      NvPcrName{"login", 0x01D10203},
    NvPcrName{"credentials", 0x01D10204},
};

}  // namespace

bool is_nv_index(std::uint64_t number) {
  return number >= TPM2_NV_INDEX_FIRST && number <= TPM2_NV_INDEX_LAST;
}

std::optional<std::uint32_t> assigned_nvpcr(std::string_view name) {
  const auto* const known = std::ranges::find(kNvPcrNames, name, &NvPcrName::name);
  return known == kNvPcrNames.end() ? std::nullopt : std::optional(known->number);
}

std::optional<NvPcrInit> read_nvpcr_init(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() < 5) {
    const std::size_t end = std::min(text.find(':'), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  if (parts.size() < 4 || parts[0] != "nvpcr-init" || !parts[2].starts_with("0x")) return {};
  const auto number = parse_number<std::uint32_t>(parts[2]);
  if (!number || !is_nv_index(*number)) return std::nullopt;
  NvPcrInit init{.name = std::string(parts[1]), .number = *number, .start = std::nullopt};
  if (parts.size() < 5) return init;
  const auto algorithm = bank_of(parts[3]);
  auto value = parse_hex(parts[4]);
  if (algorithm && value && bank_digest_size(*algorithm) == value->size()) {
    init.start = {.number = *number, .algorithm = *algorithm, .value = *std::move(value)};
  }
  return init;
}

}  // namespace tbs::ctl
