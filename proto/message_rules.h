#pragma once

// One row per message: which way it goes and how long its payload may be. That is what the frame
// extractor checks before a byte of payload is looked at.

#include <array>
#include <cstdint>
#include <string_view>

#include "proto/limits.h"
#include "proto/message.h"

namespace tbs::proto {

enum class Direction : std::uint8_t { ToDaemon, ToClient };

struct MessageRule {
  Type type;
  std::string_view name;
  Direction direction;
  std::uint32_t min_payload;
  std::uint32_t max_payload;
};

inline constexpr std::uint32_t kTextMax = 2 + kMaxText;
inline constexpr std::uint32_t kContextEntryFixed = 8 + 6 * 4 + 3 * 8;
inline constexpr std::uint32_t kContextEntryMax = kContextEntryFixed + kTextMax;
inline constexpr std::uint32_t kLimitEntryMax = 2 * 4 + 2 * 8 + kTextMax;

inline constexpr std::array kMessageRules = {
    MessageRule{Type::Hello, "hello", Direction::ToDaemon, 16, 16},
    MessageRule{Type::Submit, "submit", Direction::ToDaemon, 8 + kTpmHeaderSize,
                8 + kMaxTpmMessage},
    MessageRule{Type::Cancel, "cancel", Direction::ToDaemon, 0, 0},
    MessageRule{Type::DeviceInfo, "device-info", Direction::ToDaemon, 0, 0},
    MessageRule{Type::ListContexts, "list-contexts", Direction::ToDaemon, 8, 8},
    MessageRule{Type::CancelContext, "cancel-context", Direction::ToDaemon, 8, 8},
    MessageRule{Type::DaemonStatus, "daemon-status", Direction::ToDaemon, 0, 0},
    MessageRule{Type::MakeSticky, "make-sticky", Direction::ToDaemon, 8, 8},
    MessageRule{Type::ReadLog, "read-log", Direction::ToDaemon, 16, 16},
    MessageRule{Type::PhysicalPresence, "physical-presence", Direction::ToDaemon, 4,
                kMaxPresenceInput},
    MessageRule{Type::OwnerAuth, "owner-auth", Direction::ToDaemon, 4, 4},
    MessageRule{Type::RevokeAttestation, "revoke-attestation", Direction::ToDaemon, 0, 0},
    MessageRule{Type::ListLimits, "list-limits", Direction::ToDaemon, 0, 0},
    MessageRule{Type::LockoutStatus, "lockout-status", Direction::ToDaemon, 0, 0},
    MessageRule{Type::LockoutReset, "lockout-reset", Direction::ToDaemon, 4, 4},
    MessageRule{Type::HelloReply, "hello-reply", Direction::ToClient, 24, 24},
    MessageRule{Type::Result, "result", Direction::ToClient, 4, 4 + kMaxTpmMessage},
    MessageRule{Type::CancelReply, "cancel-reply", Direction::ToClient, 4, 4},
    MessageRule{Type::DeviceInfoReply, "device-info-reply", Direction::ToClient, 6 * 4 + 2 * 2,
                6 * 4 + 2 * kTextMax},
    MessageRule{Type::ContextList, "context-list", Direction::ToClient, 8,
                8 + kMaxContextsPerPage* kContextEntryMax},
    MessageRule{Type::CancelContextReply, "cancel-context-reply", Direction::ToClient, 4, 4},
    MessageRule{Type::DaemonStatusReply, "daemon-status-reply", Direction::ToClient,
                4 * 4 + 6 * 8 + 2 * 2, 4 * 4 + 6 * 8 + 2 * kTextMax},
    MessageRule{Type::MakeStickyReply, "make-sticky-reply", Direction::ToClient, 4, 4},
    MessageRule{Type::LogPart, "log-part", Direction::ToClient, 8, 8 + kMaxLogPart},
    MessageRule{Type::PhysicalPresenceReply, "physical-presence-reply", Direction::ToClient, 4,
                4 + kMaxPresenceOutput},
    MessageRule{Type::OwnerAuthReply, "owner-auth-reply", Direction::ToClient, 4,
                4 + kMaxOwnerAuth},
    MessageRule{Type::RevokeAttestationReply, "revoke-attestation-reply", Direction::ToClient, 4,
                4},
    MessageRule{Type::LimitList, "limit-list", Direction::ToClient, 4,
                4 + kMaxLimits* kLimitEntryMax},
    MessageRule{Type::LockoutStatusReply, "lockout-status-reply", Direction::ToClient, 16,
                16 + kMaxLockoutEntries * 16},
    MessageRule{Type::LockoutResetReply, "lockout-reset-reply", Direction::ToClient, 4, 4},
    MessageRule{Type::Refusal, "refusal", Direction::ToClient, 4 + 2, 4 + kTextMax},
};

// The rule of a type number read from a frame; null for a number that is no message.
constexpr const MessageRule* rule_of(std::uint16_t type) {
  for (const MessageRule& rule : kMessageRules) {
    if (static_cast<std::uint16_t>(rule.type) == type) return &rule;
  }
  return nullptr;
}

}  // namespace tbs::proto
