#include "daemon/config/tenant_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <grp.h>

namespace tbs {
namespace {

namespace fs = std::filesystem;

std::expected<std::vector<fs::path>, std::string> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".conf") files.push_back(entry->path());
    if (files.size() > kMaxTenants) return std::unexpected(folder + ": too many files");
  }
  if (error) return std::unexpected(folder + ": " + error.message());
  std::ranges::sort(files);
  return files;
}

std::expected<std::string, std::string> read_file(const fs::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  // One byte more than allowed: the parser says that it is too long.
  std::string text(kMaxTenantText + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return std::unexpected(path.string() +
                           ": cannot be read: " + std::generic_category().message(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// What stands outside of the file: its group and its role.
std::expected<void, std::string> resolve(Tenant& tenant, const rules::Rules& rules) {
  if (!tenant.group.empty()) {
    const group* const entry = getgrnam(tenant.group.c_str());
    if (entry == nullptr) {
      return std::unexpected(tenant.origin + ": there is no group '" + tenant.group + "'");
    }
    tenant.gid = entry->gr_gid;
  }
  const auto& roles = rules.roles;
  const auto further = roles.begin() + rules::kAdministrator + 1;
  if (!tenant.role.empty() && std::find_if(further, roles.end(), [&](const rules::Role& role) {
                                return role.name == tenant.role;
                              }) == roles.end()) {
    return std::unexpected(tenant.origin + ": the rules define no role '" + tenant.role + "'");
  }
  return {};
}

}  // namespace

std::expected<std::vector<Tenant>, std::string> read_tenants(const Config& config,
                                                             const rules::Rules& rules) {
  const auto files = files_in(config.tenants_dir);
  if (!files) return std::unexpected(files.error());
  std::vector<Tenant> tenants;
  for (const fs::path& path : *files) {
    const auto text = read_file(path);
    if (!text) return std::unexpected(text.error());
    auto tenant = parse_tenant(path.stem().string(), path.string(), *text, config.limits);
    if (!tenant) return std::unexpected(tenant.error());
    if (const auto resolved = resolve(*tenant, rules); !resolved) {
      return std::unexpected(resolved.error());
    }
    tenants.push_back(*std::move(tenant));
  }
  if (const auto checked = check_together(tenants, config.device); !checked) {
    return std::unexpected(checked.error());
  }
  return tenants;
}

}  // namespace tbs
