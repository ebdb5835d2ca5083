#include "client/tbsctl/log/uefi/variable.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "client/tbsctl/log/uefi/boot_option.h"
#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/uefi/signature_list.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

// One byte, 0 or 1. MokSBState is of shim, and the other way round: 1 switches checking off.
constexpr std::array kSwitches = {"SecureBoot",       "SetupMode",  "AuditMode",
                                  "DeployedMode",     "VendorKeys", "MokListTrusted",
                                  "MokListTrustedRT", "MokIgnoreDB"};
constexpr std::array kDatabases = {
    "PK",        "KEK",        "db",        "dbx",        "dbt",     "dbr",
    "dbDefault", "dbxDefault", "PKDefault", "KEKDefault", "MokList", "MokListX",
    "MokListRT", "MokListXRT", "vendor_db", "vendor_dbx", "devdb"};

template <typename Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// "Boot0001", "Driver00A1".
bool is_option(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEFabcdef";
  for (const std::string_view prefix : {"Boot", "Driver", "SysPrep"}) {
    const bool digits = name.size() == prefix.size() + 4 &&
                        name.substr(prefix.size()).find_first_not_of(kDigits) == name.npos;
    if (name.starts_with(prefix) && digits) return true;
  }
  return false;
}

std::optional<std::string> switch_text(const UefiVariable& variable) {
  if (variable.value.size() != 1 || variable.value[0] > 1) return std::nullopt;
  const bool on = variable.value[0] == 1;
  if (is_one_of(kSwitches, variable.name)) return on ? "on" : "off";
  if (variable.name == "MokSBState") return on ? "shim does not check" : "shim checks";
  return std::nullopt;
}

std::optional<Description> describe_lists(Bytes value) {
  const auto lists = read_signature_lists(value);
  return lists ? std::optional(describe_signature_lists(*lists)) : std::nullopt;
}

// The value of a variable that has words of its own.
std::optional<Description> describe_known(const UefiVariable& variable, bool authority) {
  if (authority) {
    if (auto allowed = describe_authority(variable.value)) return allowed;
  }
  if (variable.value.empty()) return Description{.text = "empty", .parts = {}, .fields = {}};
  if (is_one_of(kDatabases, variable.name)) return describe_lists(variable.value);
  if (is_option(variable.name)) return describe_boot_option(variable.value);
  std::optional<std::string> text = switch_text(variable);
  if (!text && variable.name.ends_with("Order")) text = boot_order_text(variable.value);
  if (!text) return std::nullopt;
  return Description{.text = *text, .parts = {}, .fields = {}};
}

// A text (SbatLevel of shim, what systemd-boot keeps), else bytes. One or two bytes are a number.
Description describe_unknown(Bytes value) {
  auto text = is_wide(value) ? utf16_text(value) : std::nullopt;
  if (!text && value.size() > 2) text = plain_text(value);
  return {.text = text ? log_text(*text) : bytes_text(value), .parts = {}, .fields = {}};
}

}  // namespace

std::optional<UefiVariable> read_variable(Bytes bytes) {
  ByteReader reader(bytes);
  UefiVariable variable{.vendor = read_guid(reader), .name = {}, .value = {}};
  const std::uint64_t units = reader.le64();
  const std::uint64_t size = reader.le64();
  if (!reader.ok() || units > reader.remaining() / 2) return std::nullopt;
  variable.name = utf16(reader.take(units * 2));
  variable.value = reader.take(std::min<std::uint64_t>(size, reader.remaining()));
  return variable;
}

Description describe_variable(Bytes bytes, bool authority) {
  const auto variable = read_variable(bytes);
  if (!variable) return {.text = bytes_text(bytes), .parts = {}, .fields = {}};
  auto known = describe_known(*variable, authority);
  Description description = known ? *std::move(known) : describe_unknown(variable->value);
  const bool usual = guid_name(variable->vendor).starts_with("UEFI");
  description.text =
      log_text(variable->name + (usual ? "" : " (" + named_guid(variable->vendor) + ")") + ": " +
               description.text);
  nlohmann::ordered_json fields = {{"variable", variable->name},
                                   {"vendor", variable->vendor},
                                   {"vendor_name", guid_name(variable->vendor)},
                                   {"size", variable->value.size()}};
  if (!description.fields.is_null()) fields.update(description.fields);
  description.fields = std::move(fields);
  return description;
}

}  // namespace tbs::ctl
