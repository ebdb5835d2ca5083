#include "daemon/config/tenant.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <variant>

#include "daemon/base/tenant_name.h"
#include "daemon/config/trimmed.h"
#include "daemon/device/device_spec.h"

namespace tbs {
namespace {

using Taken = std::expected<void, std::string>;

// Quotes around a value are not part of it, as in tbsd.conf.
std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Taken take_mode(Tenant& tenant, std::string_view text) {
  const auto mode = number_of<mode_t>(text, 8);
  if (!mode || *mode > 0777) {
    return std::unexpected("'" + std::string(text) + "' is no mode of a file, as 0660 is");
  }
  tenant.mode = mode;
  return {};
}

Taken take_limit(Tenant& tenant, const policy::LimitRule& rule, std::string_view text,
                 const policy::Limits& limits) {
  const auto value = number_of<std::size_t>(text, 10);
  const std::size_t highest = limits.*rule.value;
  if (!value || *value < rule.lowest || *value > highest) {
    return std::unexpected("'" + std::string(text) + "' is no number from " +
                           std::to_string(rule.lowest) + " to " + std::to_string(highest) +
                           ", which holds for every user");
  }
  tenant.limits.*rule.value = *value;
  return {};
}

// Whether a socket's file can be called so, wherever the daemon was started.
Taken take_socket(Tenant& tenant, std::string_view text) {
  if (!text.starts_with('/')) {
    return std::unexpected("'" + std::string(text) + "' does not begin with a slash");
  }
  tenant.socket = text;
  return {};
}

Taken take_device(Tenant& tenant, std::string_view text) {
  const auto spec = device::parse_usable_device(text);
  if (!spec) return std::unexpected(spec.error());
  if (!std::holds_alternative<device::EmbeddedSpec>(*spec)) {
    return std::unexpected("'" + std::string(text) +
                           "' is no embedded TPM, which is the only kind that a tenant can have");
  }
  tenant.device = text;
  return {};
}

Taken take(Tenant& tenant, std::string_view name, std::string_view value,
           const policy::Limits& limits) {
  if (name == "socket") return take_socket(tenant, value);
  if (name == "mode") return take_mode(tenant, value);
  if (name == "device") return take_device(tenant, value);
  if (name == "group" || name == "role") {
    (name == "group" ? tenant.group : tenant.role) = value;
    return {};
  }
  const auto* const rule = std::ranges::find(policy::kLimitRules, name, &policy::LimitRule::name);
  // The time that orphans are kept is the same for all.
  if (rule == policy::kLimitRules.end() || rule->scope == policy::Scope::All ||
      rule->value == &policy::Limits::orphan_seconds) {
    return std::unexpected("a tenant has no setting '" + std::string(name) + "'");
  }
  return take_limit(tenant, *rule, value, limits);
}

Taken take_line(Tenant& tenant, std::string_view line, const policy::Limits& limits) {
  const std::size_t equals = line.find('=');
  if (equals == line.npos) return std::unexpected("a setting is written NAME = VALUE");
  return take(tenant, trimmed(line.substr(0, equals)), unquoted(trimmed(line.substr(equals + 1))),
              limits);
}

// Of an embedded TPM; empty for any other, and where none is kept.
std::string folder_of(const std::string& device) {
  const auto spec = device::parse_device_spec(device);
  const auto* const embedded = spec ? std::get_if<device::EmbeddedSpec>(&*spec) : nullptr;
  if (embedded == nullptr || embedded->state_dir.empty()) return {};
  const auto folder = std::filesystem::path(embedded->state_dir).lexically_normal();
  return (folder.has_filename() ? folder : folder.parent_path()).string();
}

}  // namespace

std::expected<Tenant, std::string> parse_tenant(const std::string& name, const std::string& origin,
                                                std::string_view text,
                                                const policy::Limits& limits) {
  if (!is_tenant_name(name)) {
    return std::unexpected(origin +
                           ": the name of a tenant is made of at most 63 letters, digits, - and _");
  }
  if (text.size() > kMaxTenantText) return std::unexpected(origin + ": the file is too long");
  Tenant tenant{.name = name, .origin = origin, .limits = limits};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, length));
    text.remove_prefix(std::min(text.size(), length + 1));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (const auto taken = take_line(tenant, line, limits); !taken) {
      return std::unexpected(origin + ":" + std::to_string(number) + ": " + taken.error());
    }
  }
  return tenant;
}

std::expected<void, std::string> check_together(const std::vector<Tenant>& tenants,
                                                const std::string& device) {
  if (tenants.size() > kMaxTenants) {
    return std::unexpected("there are more than " + std::to_string(kMaxTenants) + " tenants");
  }
  std::map<UserId, const Tenant*> numbers;
  std::map<std::string, const Tenant*> sockets;
  std::set<std::string> folders = {folder_of(device)};
  for (const Tenant& tenant : tenants) {
    const auto [same, is_new] = numbers.emplace(tenant_user(tenant.name), &tenant);
    if (!is_new) {
      return std::unexpected(tenant.origin + ": the names " + tenant.name + " and " +
                             same->second->name + " have the same number; choose another one");
    }
    if (const std::string folder = folder_of(tenant.device);
        !folder.empty() && !folders.insert(folder).second) {
      return std::unexpected(tenant.origin + ": another TPM has the folder " + folder);
    }
    if (tenant.socket.empty()) continue;
    if (!sockets.emplace(tenant.socket, &tenant).second) {
      return std::unexpected(tenant.origin + ": another tenant has the socket " + tenant.socket);
    }
  }
  return {};
}

}  // namespace tbs
