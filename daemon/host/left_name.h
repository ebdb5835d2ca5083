#pragma once

// The names under which the service manager keeps descriptors for a successor: record, tpm-PART and
// client-NUMBER, with @TENANT behind them when the TPM is a tenant's own. They outlive releases.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tbs::host {

inline constexpr std::string_view kClientPrefix = "client-";

struct LeftName {
  enum class Kind : std::uint8_t { Record, Tpm, Client };

  Kind kind = Kind::Record;
  std::string part;          // of the TPM: "node"
  std::uint64_t number = 0;  // of the client
  std::string tenant;

  bool operator==(const LeftName&) const = default;
};

std::string to_string(const LeftName& name);
// Nothing when it is none of these.
std::optional<LeftName> parse_left_name(std::string_view text);

}  // namespace tbs::host
