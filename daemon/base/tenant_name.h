#pragma once

// A tenant is known by a name that the administrator chose, and counted by a number that follows
// from the name: the same after a restart, whatever other tenants come and go.

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "daemon/base/ids.h"

namespace tbs {

inline constexpr std::size_t kMaxTenantName = 63;

// Letters, digits, '-' and '_': part of paths, of a unit's name and of lines of the log.
constexpr bool is_tenant_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTenantName && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// Two names can have one number; who reads the configuration refuses them together.
constexpr UserId tenant_user(std::string_view name) {
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return UserId{kTenantBit | kFirstTenantNumber | hash};
}

}  // namespace tbs
