#include "client/tbsctl/explain/code_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "client/tbsctl/explain/error_numbers.h"
#include "client/tbsctl/response_code/rc_tables.h"
#include "proto/service_codes.h"
#include "proto/status.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/response_code.h"

namespace tbs::ctl {
namespace {

using Rows = std::span<const RcRow>;

// How tpm2-tss calls its layers in its header.
struct LayerPrefix {
  std::string_view prefix;
  std::uint32_t layer;
};
constexpr std::array kLayerPrefixes = {
    LayerPrefix{"TSS2_FAPI_RC_", TSS2_FEATURE_RC_LAYER},
    LayerPrefix{"TSS2_ESYS_RC_", TSS2_ESAPI_RC_LAYER},
    LayerPrefix{"TSS2_ESAPI_RC_", TSS2_ESAPI_RC_LAYER},
    LayerPrefix{"TSS2_SYS_RC_", TSS2_SYS_RC_LAYER},
    LayerPrefix{"TSS2_SAPI_RC_", TSS2_SYS_RC_LAYER},
    LayerPrefix{"TSS2_MU_RC_", TSS2_MU_RC_LAYER},
    LayerPrefix{"TSS2_TCTI_RC_", TSS2_TCTI_RC_LAYER},
    LayerPrefix{"TSS2_RESMGR_RC_", TSS2_RESMGR_RC_LAYER},
    LayerPrefix{"TSS2_RESMGR_TPM_RC_", TSS2_RESMGR_TPM_RC_LAYER},
};

std::string in_capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<std::uint32_t> code_in(Rows rows, std::string_view name) {
  const auto row = std::ranges::find(rows, name, &RcRow::name);
  if (row == rows.end()) return std::nullopt;
  return row->number;
}

std::optional<std::uint32_t> tpm20_code(std::string_view name) {
  if (name == "TPM_RC_SUCCESS") return TPM2_RC_SUCCESS;
  for (const Rows rows : {format1_rows(), format0_rows(), warning_rows()}) {
    if (const auto code = code_in(rows, name)) return code;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> tbs_code(std::string_view name) {
  if (name == "TBS_SUCCESS") return 0;
  for (std::uint32_t code = proto::service::kTbs; code < proto::service::kTbs + 0x100; ++code) {
    if (proto::status_name(static_cast<proto::Status>(code)) == name) return code;
  }
  if (const auto code = code_in(service_rows(), name)) return code;
  // TPM_E_AUTHFAIL of Windows is the TPM's own code, passed on.
  constexpr std::string_view kPassedOn = "TPM_E_";
  if (!name.starts_with(kPassedOn)) return std::nullopt;
  const auto inner = code_in(tpm12_rows(), "TPM_" + std::string(name.substr(kPassedOn.size())));
  if (!inner) return std::nullopt;
  return proto::service::kFacility | *inner;
}

std::optional<std::uint32_t> layered_code(std::string_view name) {
  for (const auto& [prefix, layer] : kLayerPrefixes) {
    if (!name.starts_with(prefix)) continue;
    if (const auto code = code_in(tss_base_rows(), name.substr(prefix.size())))
      return layer | *code;
  }
  return std::nullopt;
}

void add(std::vector<FamilyCode>& into, CodeFamily family, std::optional<std::uint32_t> code) {
  if (code) into.push_back({family, *code});
}

// What a TPM 2.0 says to a tag that it does not know is a code of TPM 1.2.
std::optional<std::uint32_t> tpm12_code(std::string_view name) {
  if (name == "TPM_SUCCESS") return tpm12::rc::kSuccess;
  if (name == "TPM_RC_BAD_TAG" || name == "TPM2_RC_BAD_TAG") return TPM2_RC_BAD_TAG;
  return code_in(tpm12_rows(), name);
}

// A name as it stands in a table.
std::vector<FamilyCode> codes_of(const std::string& name) {
  constexpr std::string_view kTss = "TPM2_RC_";
  std::vector<FamilyCode> found;
  add(found, CodeFamily::Tpm20,
      tpm20_code(name.starts_with(kTss) ? "TPM_RC_" + name.substr(kTss.size()) : name));
  add(found, CodeFamily::Tpm20, layered_code(name));
  add(found, CodeFamily::Tpm12, tpm12_code(name));
  add(found, CodeFamily::Tbs, tbs_code(name));
  if (const auto number = error_number(name)) {
    found.push_back({CodeFamily::System, static_cast<std::uint32_t>(*number)});
  }
  return found;
}

void add_like(std::vector<std::string_view>& into, Rows rows, const std::string& text) {
  constexpr std::size_t kEnough = 6;
  for (const RcRow& row : rows) {
    if (into.size() < kEnough && row.name.find(text) != std::string_view::npos) {
      into.push_back(row.name);
    }
  }
}

}  // namespace

std::vector<FamilyCode> codes_named(std::string_view text) {
  const std::string name = in_capitals(text);
  auto found = codes_of(name);
  if (!found.empty()) return found;
  for (const std::string_view prefix : {"TPM_RC_", "TPM_", "TBS_E_", "TPM_E_"}) {
    for (const FamilyCode& code : codes_of(std::string(prefix) + name)) {
      if (std::ranges::find(found, code) == found.end()) found.push_back(code);
    }
  }
  return found;
}

std::vector<std::string_view> names_like(std::string_view text) {
  constexpr std::size_t kTelling = 3;
  std::string part = in_capitals(text);
  for (const std::string_view prefix : {"TPM2_RC_", "TPM_RC_", "TBS_E_", "TPM_E_", "TPM_"}) {
    if (part.starts_with(prefix)) part.erase(0, prefix.size());
  }
  std::vector<std::string_view> names;
  if (part.size() < kTelling) return names;
  for (const Rows rows :
       {format1_rows(), format0_rows(), warning_rows(), tpm12_rows(), service_rows()}) {
    add_like(names, rows, part);
  }
  return names;
}

}  // namespace tbs::ctl
