#pragma once

// Identities that must not be mixed up: each is a type of its own.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace tbs {

// One client context, which is one connection. Never reused while the daemon runs.
enum class ContextId : std::uint64_t {};

// The user a context belongs to, from the socket's peer credentials.
enum class UserId : std::uint32_t {};

// To whom the time of the TPM and the rest is charged.
enum class AccountId : std::uint32_t {};

// Each user has an account of its own.
constexpr AccountId account_of(UserId user) {
  return AccountId{static_cast<std::uint32_t>(user)};
}

// A client's number for one of its requests; unique among the outstanding ones of a connection.
enum class RequestId : std::uint64_t {};

}  // namespace tbs
