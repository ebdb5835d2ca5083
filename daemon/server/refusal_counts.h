#pragma once

// How often clients were refused something, and how often each event of the audit came, since the
// process began.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/event_names.h"

namespace tbs::server {

// What a command was not sent for, before any engine has seen it; and what kept a client out.
enum class Refusal : std::uint8_t {
  Rule,         // a rule blocks the command
  Lockout,      // the lockout guard answers in the TPM's place
  LockoutAuth,  // the command names the lockout authorization, and is no administrator's
  Locality,     // another locality than the client or the device may have
  Malformed,    // no TPM command
  TooLong,      // longer than the device takes
  NoTpm,        // there is no TPM, or not yet
  Memory,       // the machine is short of memory
  Context,      // as many contexts as may be
  Connection,   // the connection was closed: one too many, or it broke the protocol
};

inline constexpr std::array<std::string_view, 10> kRefusalNames = {
    "rule",     "lockout", "lockout-auth", "locality", "malformed",
    "too-long", "no-tpm",  "memory",       "context",  "connection"};

using RefusalCounts = std::array<std::uint64_t, kRefusalNames.size()>;
using EventCounts = std::array<std::uint64_t, proto::kEventNames.size()>;

}  // namespace tbs::server
