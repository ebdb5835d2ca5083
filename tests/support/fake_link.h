#pragma once

// A link without a socket: what the client sends is given as messages or bytes, and what it is sent
// is kept until the test takes it. Frames wait in it wherever they would in a connection.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/server/client_link.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/message_codec.h"

namespace tbs::test {

// One frame that the client was sent.
struct Received {
  proto::Type type;
  std::uint64_t request_id;
  proto::Buffer payload;

  // The message, if it is one of this kind. Byte fields point into the payload.
  template <typename Message>
  [[nodiscard]] std::optional<Message> as() const {
    return type == Message::kType ? proto::decode<Message>(payload) : std::nullopt;
  }
};

class FakeLink : public server::ClientLink {
 public:
  FakeLink(std::uint64_t id, server::LinkOwner& owner) : id_(id), owner_(owner) {}

  // The client sends this.
  template <typename Message>
  void send_from_client(std::uint64_t request_id, Message message) {
    proto::append_frame(arriving_, request_id, std::move(message));
    process();
  }
  void send_from_client(proto::Bytes bytes) {
    arriving_.insert(arriving_.end(), bytes.begin(), bytes.end());
    process();
  }
  // The client goes away.
  void hang_up() {
    if (closed_) return;
    closed_ = true;
    owner_.on_closed(id_);
  }
  // Whether the client takes what it is sent. When it starts to, it takes what has piled up.
  void set_client_reads(bool reads) {
    client_reads_ = reads;
    if (!reads || output_.empty() || closed_) return;
    flush();
    owner_.on_kept(id_);
    process();
  }

  // What the client was sent since the last time, oldest first. Valid until the next time.
  const std::vector<Received>& take() {
    taken_.clear();
    while (const auto frame = to_client_.next().value()) {
      taken_.push_back({.type = frame->type,
                        .request_id = frame->request_id,
                        .payload = {frame->payload.begin(), frame->payload.end()}});
    }
    return taken_;
  }
  // The same, when it is one message of this kind.
  template <typename Message>
  std::optional<Message> take_only() {
    take();
    return taken_.size() == 1 ? taken_.front().as<Message>() : std::nullopt;
  }

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] bool closed() const { return closed_; }
  // Bytes that the client has sent and nobody has read.
  [[nodiscard]] std::size_t unread() const { return arriving_.size() + input_.buffered(); }

  void set_window_full(bool full) override {
    window_full_ = full;
    process();
  }
  void resume() override { process(); }
  void close() override { closed_ = true; }
  [[nodiscard]] std::size_t unsent() const override { return output_.size(); }
  [[nodiscard]] std::size_t unhandled() const override { return input_.buffered(); }
  [[nodiscard]] bool has_input() override { return unread() > 0; }

 private:
  proto::Buffer* outgoing() override { return closed_ ? nullptr : &output_; }
  void flush() override {
    if (client_reads_) feed(to_client_, output_, output_.size());
    if (!output_.empty()) owner_.on_kept(id_);
  }

  [[nodiscard]] bool may_read() {
    return !closed_ && !window_full_ && unsent() < proto::kMaxPendingOutput &&
           owner_.wants_more(id_);
  }

  void process() {
    if (processing_) return;
    processing_ = true;
    do {
      give_frames();
    } while (may_read() && feed(input_, arriving_, kOneRead));
    processing_ = false;
    if (!closed_) owner_.on_kept(id_);
  }

  void give_frames() {
    while (may_read()) {
      const auto frame = input_.next();
      if (!frame) {
        owner_.on_fault(id_, frame.error());
        return;
      }
      if (!*frame) return;
      owner_.on_frame(id_, **frame);
    }
  }

  // Moves at most `most` bytes; false when there are none.
  static bool feed(proto::FrameExtractor& extractor, proto::Buffer& from, std::size_t most) {
    if (from.empty()) return false;
    std::size_t left = std::min(most, from.size());
    while (left > 0) {
      const auto room = extractor.writable();
      const std::size_t count = std::min(room.size(), left);
      std::copy_n(from.begin(), count, room.begin());
      extractor.commit(count);
      from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
      left -= count;
    }
    return true;
  }

  static constexpr std::size_t kOneRead = 1024;

  std::uint64_t id_;
  server::LinkOwner& owner_;
  proto::Buffer arriving_;
  proto::FrameExtractor input_{proto::Direction::ToDaemon};
  proto::Buffer output_;
  proto::FrameExtractor to_client_{proto::Direction::ToClient};
  std::vector<Received> taken_;
  bool client_reads_ = true;
  bool processing_ = false;
  bool window_full_ = false;
  bool closed_ = false;
};

}  // namespace tbs::test
