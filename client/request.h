#pragma once

// One command, or one request of another kind, from the moment it is submitted until its answer is
// taken; and lists of them. All of it is used under the lock of the channel that the
// request belongs to.
//
//   HeldBack     the daemon's window is full; the submitting thread waits for a place
//   Outstanding  on its way to the daemon or being worked on there
//   Done         answered, or given up: `status` says how
//
// HeldBack -> Outstanding -> Done, or straight to Done when it is cancelled or the channel ends.

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <new>
#include <span>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/message.h"
#include "proto/status.h"

namespace tbs::client {

enum class RequestState : std::uint8_t { HeldBack, Outstanding, Done };
enum class RequestKind : std::uint8_t { Command, Cancel, CancelCommand, MakeSticky, Question };

struct Request {
  RequestKind kind = RequestKind::Command;
  RequestState state = RequestState::Outstanding;
  proto::Type reply = proto::Type::Result;  // what answers a question
  proto::Status status = proto::Status::Success;
  std::uint64_t id = 0;

  // Where the submitter wants the response. Only while it waits: until the whole command is sent,
  // the same memory may hold the command.
  std::span<std::uint8_t> room;
  // The response, when it came before there was room for it.
  proto::Buffer kept;
  std::size_t size = 0;  // of the response

  bool waiting = false;    // its thread sleeps on `wake`
  bool awaited = false;    // a thread takes the result of this one
  bool abandoned = false;  // nobody will take it
  std::condition_variable wake;
  Request* next = nullptr;

  // Takes the answer in.
  void finish(proto::Status how, proto::Bytes response) noexcept {
    state = RequestState::Done;
    status = how;
    size = response.size();
    if (!room.empty()) {
      if (room.size() >= size) std::ranges::copy(response, room.begin());
    } else if (!keep(response)) {
      status = proto::Status::InternalError;
      size = 0;
    }
    if (waiting) wake.notify_one();
  }

  // Puts the response where the submitter wants it; false when it is too small.
  [[nodiscard]] bool deliver(std::span<std::uint8_t> place) const {
    if (place.size() < size) return false;
    if (!kept.empty()) std::ranges::copy(kept, place.begin());
    return true;
  }

 private:
  bool keep(proto::Bytes response) noexcept {
    try {
      kept.assign(response.begin(), response.end());
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
};

// Requests in the order in which they came. A request is in one list at most; the list owns none.
class RequestList {
 public:
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] Request* first() const { return first_; }

  void append(Request& request) {
    Request** end = &first_;
    while (*end != nullptr) end = &(*end)->next;
    *end = &request;
    request.next = nullptr;
  }

  Request* take_first() {
    Request* const taken = first_;
    if (taken != nullptr) first_ = taken->next;
    return taken;
  }

  // Takes out the request with this id; null when there is none.
  Request* take(std::uint64_t id) {
    for (Request** at = &first_; *at != nullptr; at = &(*at)->next) {
      Request* const found = *at;
      if (found->id != id) continue;
      *at = found->next;
      return found;
    }
    return nullptr;
  }

  // One whose thread sleeps; null when there is none.
  [[nodiscard]] Request* sleeper() const {
    Request* each = first_;
    while (each != nullptr && !each->waiting) each = each->next;
    return each;
  }

 private:
  Request* first_ = nullptr;
};

}  // namespace tbs::client
