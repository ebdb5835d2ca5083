#pragma once

// All messages in one typed list: a row has the structure of a message, its name, the bounds of its
// payload and, for a request, the structure of the reply that belongs to it. The number and the
// direction are in Type.
//
// Everything that is about all messages goes through this list: what the frame extractor lets in,
// what can be encoded and decoded at all, which reply a client waits for, the tests, the fuzzers,
// and the tables of docs/protocol.md.

#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "proto/limits.h"
#include "proto/message.h"

namespace tbs::proto {

enum class Direction : std::uint8_t { ToDaemon, ToClient };

// What can be said of a message without its structure.
struct MessageRule {
  Type type;
  std::string_view name;
  Direction direction;
  std::uint32_t min_payload;
  std::uint32_t max_payload;
};

inline constexpr std::uint16_t kReplyBit = 0x8000;

constexpr std::uint16_t number_of(Type type) {
  return static_cast<std::uint16_t>(type);
}

// `ReplyStructure` is void for what the daemon sends.
template <typename Structure, typename ReplyStructure = void>
struct MessageRow {
  using Message = Structure;
  using Reply = ReplyStructure;
  static constexpr Direction kDirection =
      std::is_void_v<Reply> ? Direction::ToClient : Direction::ToDaemon;

  std::string_view name;
  std::uint32_t min_payload;
  std::uint32_t max_payload;

  [[nodiscard]] constexpr MessageRule rule() const {
    return {Message::kType, name, kDirection, min_payload, max_payload};
  }
};

inline constexpr std::uint32_t kTextMax = 2 + kMaxText;
inline constexpr std::uint32_t kContextEntryMax = 8 + 6 * 4 + 3 * 8 + kTextMax;
inline constexpr std::uint32_t kLimitEntryMax = 2 * 4 + 2 * 8 + kTextMax;
inline constexpr std::uint32_t kTenantEntryMax = 4 + kTextMax;
inline constexpr std::uint32_t kHoldingEntryMax = 5 * 4;
inline constexpr std::uint32_t kActivityEntryMax = 3 * 8 + 4 + kTextMax;
inline constexpr std::uint32_t kEventEntryMax = 2 * 8 + 5 * 4 + 4 * kTextMax;

// In the order of their numbers.
inline constexpr std::tuple kMessages{
    MessageRow<Hello, HelloReply>{"hello", 16, 16},
    MessageRow<Submit, Result>{"submit", 8 + kTpmHeaderSize, 8 + kMaxTpmMessage},
    MessageRow<Cancel, CancelReply>{"cancel", 0, 0},
    MessageRow<DeviceInfo, DeviceInfoReply>{"device-info", 0, 0},
    MessageRow<ListContexts, ContextList>{"list-contexts", 8, 8},
    MessageRow<CancelContext, CancelContextReply>{"cancel-context", 8, 8},
    MessageRow<DaemonStatus, DaemonStatusReply>{"daemon-status", 0, 0},
    MessageRow<MakeSticky, MakeStickyReply>{"make-sticky", 8, 8},
    MessageRow<ListLimits, LimitList>{"list-limits", 0, 0},
    MessageRow<LockoutStatus, LockoutStatusReply>{"lockout-status", 0, 0},
    MessageRow<LockoutReset, LockoutResetReply>{"lockout-reset", 4, 4},
    MessageRow<ReadEvents, EventList>{"read-events", 12, 12},
    MessageRow<ReadCapture, CapturePage>{"read-capture", 16, 16},
    MessageRow<ListHoldings, HoldingList>{"list-holdings", 8, 8},
    MessageRow<ListActivity, ActivityList>{"list-activity", 8, 8},
    MessageRow<ReadLog, LogPart>{"read-log", 16, 16},
    MessageRow<PhysicalPresence, PhysicalPresenceReply>{"physical-presence", 4, kMaxPresenceInput},
    MessageRow<OwnerAuth, OwnerAuthReply>{"owner-auth", 4, 4},
    MessageRow<RevokeAttestation, RevokeAttestationReply>{"revoke-attestation", 0, 0},
    MessageRow<InheritObjects, InheritObjectsReply>{"inherit-objects", 8 + kTokenSize,
                                                    8 + kTokenSize},
    MessageRow<Maintenance, MaintenanceReply>{"maintenance", 12, 12},
    MessageRow<CancelCommand, CancelCommandReply>{"cancel-command", 8, 8},
    MessageRow<ListTenants, TenantList>{"list-tenants", 0, 0},

    MessageRow<HelloReply>{"hello-reply", 24, 24 + kTokenSize},
    MessageRow<Result>{"result", 4, 4 + kMaxTpmMessage},
    MessageRow<CancelReply>{"cancel-reply", 4, 4},
    MessageRow<DeviceInfoReply>{"device-info-reply", 6 * 4 + 2 * 2, 6 * 4 + 2 * kTextMax},
    MessageRow<ContextList>{"context-list", 8, 8 + kMaxContextsPerPage* kContextEntryMax},
    MessageRow<CancelContextReply>{"cancel-context-reply", 4, 4},
    MessageRow<DaemonStatusReply>{"daemon-status-reply", 4 * 4 + 6 * 8 + 4 * 2,
                                  4 * 4 + 6 * 8 + 4 * kTextMax},
    MessageRow<MakeStickyReply>{"make-sticky-reply", 4, 4},
    MessageRow<LimitList>{"limit-list", 4, 4 + kMaxLimits* kLimitEntryMax},
    MessageRow<LockoutStatusReply>{"lockout-status-reply", 16, 16 + kMaxLockoutEntries * 16},
    MessageRow<LockoutResetReply>{"lockout-reset-reply", 4, 4},
    MessageRow<EventList>{"event-list", 12, 12 + kMaxEventsPerPage* kEventEntryMax},
    MessageRow<CapturePage>{"capture-page", 20, 20 + kMaxCapturePage},
    MessageRow<HoldingList>{"holding-list", 8, 8 + kMaxHoldings* kHoldingEntryMax},
    MessageRow<ActivityList>{"activity-list", 56, 56 + kMaxContextsPerPage* kActivityEntryMax},
    MessageRow<LogPart>{"log-part", 8, 8 + kMaxLogPart},
    MessageRow<PhysicalPresenceReply>{"physical-presence-reply", 4, 4 + kMaxPresenceOutput},
    MessageRow<OwnerAuthReply>{"owner-auth-reply", 4, 4 + kMaxOwnerAuth},
    MessageRow<RevokeAttestationReply>{"revoke-attestation-reply", 4, 4},
    MessageRow<InheritObjectsReply>{"inherit-objects-reply", 4, 4},
    MessageRow<MaintenanceReply>{"maintenance-reply", 4, 4},
    MessageRow<CancelCommandReply>{"cancel-command-reply", 4, 4},
    MessageRow<TenantList>{"tenant-list", 4, 4 + kMaxTenants* kTenantEntryMax},
    MessageRow<Refusal>{"refusal", 4 + 2, 4 + kTextMax},
};

// Calls `visit.operator()<Message>(rule)` for each message.
template <typename Visit>
constexpr void for_each_message(const Visit& visit) {
  std::apply(
      [&]<typename... Row>(const Row&... row) {
        (visit.template operator()<typename Row::Message>(row.rule()), ...);
      },
      kMessages);
}

// The same with the structures of each request and its reply.
template <typename Visit>
constexpr void for_each_request(const Visit& visit) {
  const auto one = [&]<typename Message, typename Reply>(const MessageRow<Message, Reply>& row) {
    if constexpr (!std::is_void_v<Reply>) {
      visit.template operator()<Message, Reply>(row.rule());
    }
  };
  std::apply([&](const auto&... row) { (one(row), ...); }, kMessages);
}

namespace list {

template <typename... Row>
struct AllRows : Row... {};
template <typename... Row>
AllRows<Row...> all_rows(std::tuple<Row...>);
using Rows = decltype(all_rows(kMessages));

template <typename Message, typename Reply>
std::type_identity<Reply> reply_in(const MessageRow<Message, Reply>&);

constexpr std::array kRules =
    std::apply([](const auto&... row) { return std::array{row.rule()...}; }, kMessages);

// In order, so that no number stands for two messages; and each request beside its reply.
constexpr bool numbers_are_right() {
  for (std::size_t i = 1; i < kRules.size(); ++i) {
    if (number_of(kRules[i - 1].type) >= number_of(kRules[i].type)) return false;
  }
  bool right = true;
  for_each_request([&]<typename Message, typename Reply>(const MessageRule&) {
    right = right && number_of(Reply::kType) == (number_of(Message::kType) | kReplyBit) &&
            (number_of(Message::kType) & kReplyBit) == 0;
  });
  return right;
}
static_assert(numbers_are_right());

}  // namespace list

// A structure that can be sent.
template <typename Structure>
concept ListedMessage = requires(const list::Rows& rows) { list::reply_in<Structure>(rows); };

// The structure that answers a request.
template <ListedMessage Request>
  requires(number_of(Request::kType) < kReplyBit)
using ReplyTo = decltype(list::reply_in<Request>(std::declval<const list::Rows&>()))::type;

// The rule of a type number read from a frame; null for a number that is no message.
constexpr const MessageRule* rule_of(std::uint16_t type) {
  for (const MessageRule& rule : list::kRules) {
    if (number_of(rule.type) == type) return &rule;
  }
  return nullptr;
}

}  // namespace tbs::proto
