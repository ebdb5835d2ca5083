#include "daemon/restart/kept_clients.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/limits.h"
#include "proto/message_list.h"

namespace tbs::restart {
namespace {

// Of the memory that is kept for requests to come: few are unanswered at a time, and most are
// short.
constexpr std::size_t kUnusedFrames = 64;
constexpr std::size_t kLargeFrame = 1024;

struct FrameStart {
  std::uint16_t type;
  std::uint64_t request;
  std::size_t size;  // of the whole frame
};

// Nothing when the bytes do not begin with a whole frame.
std::optional<FrameStart> frame_start(proto::Bytes bytes) {
  proto::ByteReader reader(bytes);
  reader.skip(2);
  FrameStart start{.type = reader.le16(), .request = 0, .size = reader.le32()};
  start.request = reader.le64();
  if (!reader.ok() || start.size > reader.remaining()) return std::nullopt;
  start.size += proto::kFrameHeaderSize;
  return start;
}

bool makes_command(std::uint16_t type) {
  return type == proto::number_of(proto::Type::Submit) ||
         type == proto::number_of(proto::Type::RevokeAttestation);
}

}  // namespace

bool KeptClients::connected(std::uint64_t id, proto::Bytes peer) {
  note_last(id);
  const auto [entry, added] = clients_.try_emplace(id);
  if (added) entry->second.peer.assign(peer.begin(), peer.end());
  return added;
}

bool KeptClients::opened(std::uint64_t id, proto::Bytes how) {
  KeptClient* const found = client(id);
  if (found == nullptr || how.empty()) return false;
  found->opened.assign(how.begin(), how.end());
  return true;
}

bool KeptClients::gone(std::uint64_t id) {
  recent_.client = nullptr;
  return clients_.erase(id) == 1;
}

bool KeptClients::received(std::uint64_t id, proto::Bytes bytes) {
  KeptClient* const found = client(id);
  if (found == nullptr) return false;
  found->input.push(bytes);
  return true;
}

bool KeptClients::handled(std::uint64_t id, std::size_t size) {
  KeptClient* const found = client(id);
  if (found == nullptr || size > found->input.size()) return false;
  const bool request = unanswered(id, last_order_ + 1, found->input.bytes().first(size));
  found->input.pop(size);
  return request;
}

bool KeptClients::queued(std::uint64_t id, proto::Bytes frames) {
  KeptClient* const found = client(id);
  if (found == nullptr) return false;
  found->output.push(frames);
  while (!frames.empty()) {
    const auto start = frame_start(frames);
    if (!start) return false;
    const auto answered = std::ranges::find_if(found->requests, [&](const KeptRequest& one) {
      return one.id == start->request && (one.type | proto::kReplyBit) == start->type;
    });
    if (answered != found->requests.end()) {
      reuse(std::move(answered->frame));
      found->requests.erase(answered);
    }
    frames = frames.subspan(start->size);
  }
  return true;
}

bool KeptClients::sent(std::uint64_t id, std::size_t size) {
  KeptClient* const found = client(id);
  if (found == nullptr || size > found->output.size()) return false;
  found->output.pop(size);
  return true;
}

bool KeptClients::unanswered(std::uint64_t id, std::uint64_t order, proto::Bytes frame) {
  KeptClient* const found = client(id);
  const auto start = frame_start(frame);
  if (found == nullptr || !start || start->size != frame.size() || order <= last_order_) {
    return false;
  }
  last_order_ = order;
  found->requests.push_back(
      {.order = order, .id = start->request, .type = start->type, .frame = copied(frame)});
  return true;
}

proto::Buffer KeptClients::copied(proto::Bytes frame) {
  proto::Buffer copy;
  if (!unused_frames_.empty()) {
    copy = std::move(unused_frames_.back());
    unused_frames_.pop_back();
  }
  copy.assign(frame.begin(), frame.end());
  return copy;
}

void KeptClients::reuse(proto::Buffer frame) {
  if (unused_frames_.size() < kUnusedFrames && frame.capacity() <= kLargeFrame) {
    unused_frames_.push_back(std::move(frame));
  }
}

bool KeptClients::unsent(std::uint64_t id, proto::Bytes bytes) {
  KeptClient* const found = client(id);
  if (found == nullptr) return false;
  found->output.push(bytes);
  return true;
}

std::uint64_t KeptClients::order_of_command(std::uint64_t id, std::uint64_t request) const {
  const KeptClient* const found = find(id);
  if (found == nullptr) return 0;
  const auto made = std::ranges::find_if(found->requests, [&](const KeptRequest& one) {
    return one.id == request && makes_command(one.type);
  });
  return made == found->requests.end() ? 0 : made->order;
}

const KeptClient* KeptClients::find(std::uint64_t id) const {
  const auto entry = clients_.find(id);
  return entry == clients_.end() ? nullptr : &entry->second;
}

KeptClient* KeptClients::client(std::uint64_t id) {
  if (recent_.client != nullptr && recent_.id == id) return recent_.client;
  const auto entry = clients_.find(id);
  if (entry == clients_.end()) return nullptr;
  recent_.id = id;
  recent_.client = &entry->second;
  return recent_.client;
}

}  // namespace tbs::restart
