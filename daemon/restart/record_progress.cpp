#include "daemon/restart/record_progress.h"

#include <cstring>
#include <utility>

#include "daemon/restart/entry_kind.h"
#include "proto/byte_reader.h"

namespace tbs::restart {
namespace {

// Numbers as this machine has them, then bytes.
class Payload {
 public:
  explicit Payload(proto::Bytes bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (bytes_.size() < sizeof(value)) {
      ok_ = false;
      return 0;
    }
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_ = bytes_.subspan(sizeof(value));
    return value;
  }
  proto::Bytes rest() { return std::exchange(bytes_, {}); }
  // Everything was there, and nothing is left.
  [[nodiscard]] bool whole() const { return ok_ && bytes_.empty(); }

 private:
  proto::Bytes bytes_;
  bool ok_ = true;
};

bool follow_client(KeptClients& clients, EntryKind kind, std::uint64_t id, Payload& payload) {
  switch (kind) {
    case EntryKind::Connected:
      return clients.connected(id, payload.rest());
    case EntryKind::Opened:
      return clients.opened(id, payload.rest());
    case EntryKind::Received:
      return clients.received(id, payload.rest());
    case EntryKind::Handled:
      return clients.handled(id, payload.number());
    case EntryKind::Queued:
      return clients.queued(id, payload.rest());
    case EntryKind::Sent:
      return clients.sent(id, payload.number());
    case EntryKind::Gone:
      return clients.gone(id);
    case EntryKind::Unanswered: {
      const std::uint64_t order = payload.number();
      return clients.unanswered(id, order, payload.rest());
    }
    case EntryKind::Unsent:
      return clients.unsent(id, payload.rest());
    default:
      return false;
  }
}

}  // namespace

void RecordProgress::told(const Input& input) {
  if (input.kind != InputKind::OpenContext && input.kind != InputKind::CloseContext) return;
  const std::uint64_t context = proto::ByteReader(input.bytes).le64();
  if (input.kind == InputKind::OpenContext) {
    contexts.insert(context);
  } else {
    contexts.erase(context);
  }
}

std::expected<void, std::string> RecordProgress::follow(const JournalEntry& entry) {
  const auto kind = static_cast<EntryKind>(entry.kind);
  if (kind == EntryKind::Credit || kind == EntryKind::HandedOver) {
    proto::Buffer& words = kind == EntryKind::Credit ? credit : handover;
    words.assign(entry.payload.begin(), entry.payload.end());
    return {};
  }
  Payload payload(entry.payload);
  const std::uint64_t number = payload.number();
  bool sensible = true;
  switch (kind) {
    case EntryKind::Context:
      contexts.insert(number);
      break;
    case EntryKind::Sending:
      sending = number;
      break;
    case EntryKind::Transfer:
      transfer = number;
      break;
    case EntryKind::LastClient:
      clients.note_last(number);
      break;
    case EntryKind::Received:
    case EntryKind::Sent:
      transfer = payload.number();
      [[fallthrough]];
    default:
      sensible = follow_client(clients, kind, number, payload);
  }
  if (sensible && payload.whole()) return {};
  return std::unexpected("an entry of kind " + std::to_string(entry.kind) + " makes no sense");
}

}  // namespace tbs::restart
