#pragma once

// One client: a connection, which is one context, or an observer.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/command/client_command.h"
#include "daemon/server/client_link.h"
#include "daemon/server/peer.h"
#include "proto/message.h"

namespace tbs::server {

// Handshake -> Waiting (hello received, device not ready yet) -> Keeping (the socket is not with
// who keeps it for a successor yet) -> Open
enum class Stage : std::uint8_t { Handshake, Waiting, Keeping, Open };

// Which message answers a command.
enum class ReplyAs : std::uint8_t { Result, RevokeAttestationReply };

// A command that was queued and not answered yet.
struct Outstanding {
  SharedCommand command;
  ReplyAs reply = ReplyAs::Result;
  TimePoint submitted;  // known while somebody captures

  [[nodiscard]] RequestId request() const { return command->request(); }
};

struct Client {
  std::uint64_t id = 0;
  std::shared_ptr<ClientLink> link;
  Peer peer;
  Stage stage = Stage::Handshake;
  proto::Role role = proto::Role::Observer;
  std::uint64_t hello_id = 0;
  std::uint16_t version = proto::kOldestVersion;  // of the protocol
  std::uint32_t wanted = 0;
  std::uint32_t earlier_connections = 0;  // that it says to have lost
  // Proves that a process has inherited this context; all zero while it has none.
  std::array<std::uint8_t, proto::kTokenSize> token{};
  std::uint32_t last_priority = 0;
  std::uint64_t submitted = 0;
  std::vector<Outstanding> outstanding;  // a window of them at most
  std::size_t outstanding_bytes = 0;
  std::size_t counted_bytes = 0;  // of its account's backlog
  bool held_up = false;           // not read from, because the account has too much waiting
  // A question about the TPM that waits until the TPM has been started.
  std::optional<std::uint64_t> device_info_id;
  bool asks_firmware = false;  // a question about the firmware's files is on the way

  [[nodiscard]] ContextId context() const { return ContextId{id}; }
  [[nodiscard]] bool is_context() const {
    return stage == Stage::Open && role == proto::Role::Context;
  }
  [[nodiscard]] AccountId account() const { return peer.principal.account; }
  [[nodiscard]] bool has_outstanding(std::uint64_t request_id) const {
    return std::ranges::find(outstanding, RequestId{request_id}, &Outstanding::request) !=
           outstanding.end();
  }
  // It is answered now. Nothing when there is none of this id.
  std::optional<Outstanding> take_outstanding(RequestId request) {
    const auto found = std::ranges::find(outstanding, request, &Outstanding::request);
    if (found == outstanding.end()) return std::nullopt;
    std::optional<Outstanding> taken = std::move(*found);
    outstanding.erase(found);
    outstanding_bytes -= taken->command->bytes().size();
    return taken;
  }
  // Everything that is kept for it.
  [[nodiscard]] std::size_t kept_bytes() const {
    return outstanding_bytes + link->unsent() + link->unhandled();
  }
  // Whether its requests are answered, and the answers read.
  [[nodiscard]] bool is_idle() const { return outstanding_bytes + link->unsent() == 0; }
};

}  // namespace tbs::server
