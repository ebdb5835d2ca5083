#pragma once

// The way to one client, as far as the server needs it: frames go out, and whoever owns the link is
// told what comes in. A socket implements it; so do the stand-ins of the tests.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "proto/frame.h"
#include "proto/message_codec.h"

namespace tbs::server {

// What the owner of links is told, by the number of the link. No call arrives after on_closed().
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // A whole frame. The owner may close the link from within.
  virtual void on_frame(std::uint64_t id, const proto::Frame& frame) = 0;
  virtual void on_fault(std::uint64_t id, proto::FrameFault fault) = 0;
  // The peer has gone, or the socket failed. Not called for a close() of the owner's own.
  virtual void on_closed(std::uint64_t id) = 0;
  // What the link keeps, unsent or unhandled, has become more or less. Nothing is closed from
  // within.
  virtual void on_kept(std::uint64_t id) = 0;
  // Whether the owner wants more from it at all. When that changes it calls resume().
  [[nodiscard]] virtual bool wants_more(std::uint64_t id) = 0;
};

// set_window_full() and resume() may call the owner from within, send() its on_kept() alone, the
// other functions never do.
class ClientLink {
 public:
  virtual ~ClientLink() = default;

  // Queues one frame and sends as much as the peer takes at once.
  template <typename Message>
  void send(std::uint64_t request_id, Message message) {
    proto::Buffer* const out = outgoing();
    if (out == nullptr) return;
    proto::append_frame(*out, request_id, std::move(message));
    flush();
  }

  // Stops or resumes reading; frames already received wait as well.
  virtual void set_window_full(bool full) = 0;
  // Goes on reading where the owner did not want more.
  virtual void resume() = 0;
  // Ends the link after what was queued has been sent as far as the peer takes it at once.
  virtual void close() = 0;

  // Bytes queued that the peer has not taken.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  // Bytes of the peer's that wait to be handled.
  [[nodiscard]] virtual std::size_t unhandled() const = 0;
  // Whether the peer has sent something that the owner has not been given yet.
  [[nodiscard]] virtual bool has_input() = 0;

 private:
  // Where the next frame is appended; null when closed.
  virtual proto::Buffer* outgoing() = 0;
  virtual void flush() = 0;
};

}  // namespace tbs::server
