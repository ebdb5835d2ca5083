#pragma once

// Identities that must not be mixed up: each is a type of its own.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "proto/limits.h"

namespace tbs {

// One client context, which is one connection. Never reused while the daemon runs.
enum class ContextId : std::uint64_t {};

// Whom a context belongs to: a user of the machine, from the socket's peer credentials, or a
// tenant, for whom a socket of its own speaks. A tenant has a bit set that no uid has.
enum class UserId : std::uint64_t {};

inline constexpr std::uint64_t kTenantBit = std::uint64_t{1} << 32;
// In the 32 bits below it tenants begin where uids that Linux distributions use end.
using proto::kFirstTenantNumber;

constexpr bool is_tenant(UserId user) {
  return (static_cast<std::uint64_t>(user) & kTenantBit) != 0;
}

// As clients and logs are told: the uid, or the number of the tenant.
constexpr std::uint32_t shown_number(UserId user) {
  return static_cast<std::uint32_t>(user);
}

// To whom the time of the TPM and the rest is charged: a user, with everybody who has one of the
// user's subordinate numbers (subuid(5)), or a tenant.
enum class AccountId : std::uint64_t {};

// Administrators are charged apart from what else runs under their user numbers, so that nothing
// but themselves can use up what is kept for them: root in a container takes nothing from the
// host's root, and cancels nothing of it.
inline constexpr std::uint64_t kAdministratorsBit = kTenantBit << 1;

constexpr AccountId account_of(UserId user) {
  return AccountId{static_cast<std::uint64_t>(user)};
}
constexpr AccountId administrators_account(UserId user) {
  return AccountId{static_cast<std::uint64_t>(user) | kAdministratorsBit};
}
constexpr bool is_administrators(AccountId account) {
  return (static_cast<std::uint64_t>(account) & kAdministratorsBit) != 0;
}
// The user or tenant whose account it is.
constexpr UserId user_of(AccountId account) {
  return UserId{static_cast<std::uint64_t>(account) & ~kAdministratorsBit};
}

// Who a context works for. Quotas go by the account; what one context has left, another one may go
// on with when all of this is the same.
struct Principal {
  AccountId account;
  UserId user;
  auto operator<=>(const Principal&) const = default;

  template <typename Record>
  void fields(Record& record) {
    record(account, user);
  }
};

// A user with an account of its own.
constexpr Principal principal_of(UserId user) {
  return {.account = account_of(user), .user = user};
}

// A client's number for one of its requests; unique among the outstanding ones of a connection.
enum class RequestId : std::uint64_t {};

}  // namespace tbs
