#pragma once

// What a successor must know of the clients: who they are, what they have sent that was not handled
// yet, which of their requests were handled and not answered, and what was not sent to them. It
// follows from events alone, so who writes the events down and who reads them has the same.
//
// Frames are understood only as far as to tell which answer belongs to which request.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "daemon/restart/byte_queue.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::restart {

// A request that was handled and not answered.
struct KeptRequest {
  std::uint64_t order = 0;  // among those of all clients, since the first
  std::uint64_t id = 0;     // the client's number for it, which it may use again
  std::uint16_t type = 0;
  proto::Buffer frame;
};

struct KeptClient {
  proto::Buffer peer;    // who it is, in the server's words
  proto::Buffer opened;  // what its hello led to, in the server's words; empty before
  ByteQueue input;       // received, not handled
  std::vector<KeptRequest> requests;
  ByteQueue output;  // whole frames at first; what was sent of them is gone
};

class KeptClients {
 public:
  using Table = std::map<std::uint64_t, KeptClient>;

  // False when an event makes no sense: the client is unknown or known already, the bytes are no
  // frames, or fewer than were there.
  bool connected(std::uint64_t id, proto::Bytes peer);
  bool opened(std::uint64_t id, proto::Bytes how);
  bool received(std::uint64_t id, proto::Bytes bytes);
  // The first `size` bytes of its input were a frame, and its owner has it now.
  bool handled(std::uint64_t id, std::size_t size);
  // Whole frames for it. An answer ends its request.
  bool queued(std::uint64_t id, proto::Bytes frames);
  bool sent(std::uint64_t id, std::size_t size);
  // A request as it is written down when it is still unanswered.
  bool unanswered(std::uint64_t id, std::uint64_t order, proto::Bytes frame);
  // The rest of a frame may be the first of what is written down.
  bool unsent(std::uint64_t id, proto::Bytes bytes);
  bool gone(std::uint64_t id);

  // No client had a higher number.
  void note_last(std::uint64_t id) { last_ = std::max(last_, id); }
  [[nodiscard]] std::uint64_t last() const { return last_; }

  // The order of the request that has made the engine's command of this number; 0 when it was
  // answered, or its client has gone.
  [[nodiscard]] std::uint64_t order_of_command(std::uint64_t id, std::uint64_t request) const;
  [[nodiscard]] const Table& all() const { return clients_; }
  [[nodiscard]] const KeptClient* find(std::uint64_t id) const;

 private:
  // Whom the last event was about: most often the next one is about the same.
  // Another table has other clients: it is forgotten by copies.
  struct Recent {
    Recent() = default;
    ~Recent() = default;
    Recent(const Recent&) noexcept {}
    Recent(Recent&&) noexcept {}
    Recent& operator=(const Recent& other) noexcept {
      if (this != &other) client = nullptr;
      return *this;
    }
    Recent& operator=(Recent&&) noexcept {
      client = nullptr;
      return *this;
    }

    std::uint64_t id = 0;
    KeptClient* client = nullptr;
  };

  [[nodiscard]] KeptClient* client(std::uint64_t id);
  [[nodiscard]] proto::Buffer copied(proto::Bytes frame);
  void reuse(proto::Buffer frame);

  Table clients_;
  Recent recent_;
  std::vector<proto::Buffer> unused_frames_;  // memory of answered requests for the next ones
  std::uint64_t last_order_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace tbs::restart
