#pragma once

// Writes down what a successor of this process needs of its clients, and moves the bytes of their
// links so that it is known which ones were moved, at whatever instruction the process ends. Where
// nothing is kept there is no keeper.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>

#include "daemon/server/client.h"
#include "proto/byte_reader.h"

namespace tbs::server {

class ClientKeeper {
 public:
  virtual ~ClientKeeper() = default;

  // A client has come, whose socket is this.
  virtual void connected(std::uint64_t id, const Peer& peer, int socket) = 0;
  // Its hello is about to be answered. False when its socket could not be handed over to who keeps
  // it for a successor: then `go_on` is called once, from the loop, as soon as it was, or after a
  // while all the same. Not after gone().
  [[nodiscard]] virtual bool keep_socket(std::uint64_t id,
                                         std::move_only_function<void()> go_on) = 0;
  // Its hello is answered.
  virtual void opened(const Client& client) = 0;
  // Its link is closed.
  virtual void gone(std::uint64_t id) = 0;
  // Who has the TPM alone, in its owner's words; nothing when nobody does any longer.
  virtual void handed_over(proto::Bytes whom) = 0;

  // Like recv(2), without waiting: at most so many bytes, valid until the next call; none at the
  // end of the stream. Or an errno value.
  virtual std::expected<proto::Bytes, int> receive(std::uint64_t id, int socket,
                                                   std::size_t most) = 0;
  // The first bytes that were received are a frame of this size, which its owner is given next.
  virtual void handled(std::uint64_t id, std::size_t size) = 0;
  // Whole frames that are to be sent.
  virtual void queued(std::uint64_t id, proto::Bytes frames) = 0;
  // Like send(2), without waiting, of what is the first of the queued bytes now.
  virtual std::expected<std::size_t, int> send(std::uint64_t id, int socket,
                                               proto::Bytes bytes) = 0;
};

}  // namespace tbs::server
