#include "daemon/device/counted_stream.h"

#include <errno.h>

#include "daemon/base/ordered_store.h"

namespace tbs::device {

using Direction = loop::CountedTransfer::Direction;

std::size_t CountedStream::moved() const {
  const Part& part = parts_[transfers_ % 2];
  return part.before + part.transfer.moved().value_or(0);
}

std::expected<std::size_t, int> CountedStream::receive(int socket, std::span<std::uint8_t> area) {
  const std::size_t received = moved();
  if (received >= area.size()) return std::unexpected(ENOBUFS);
  const auto rest = area.subspan(received);
  return move(Direction::Receive, socket, rest.data(), rest.size());
}

std::expected<bool, int> CountedStream::send(int socket, proto::Bytes whole) {
  while (moved() < whole.size()) {
    const proto::Bytes rest = whole.subspan(moved());
    const auto sent = move(Direction::Send, socket, rest.data(), rest.size());
    if (!sent && sent.error() == EAGAIN) return false;
    if (!sent) return std::unexpected(sent.error());
  }
  return true;
}

std::expected<std::size_t, int> CountedStream::move(Direction direction, int socket,
                                                    const std::uint8_t* bytes, std::size_t size) {
  const std::uint64_t number = transfers_ + 1;
  Part& part = parts_[number % 2];
  part.before = moved();
  part.transfer.prepare(bytes, size);
  store_in_order(transfers_, number);
  return part.transfer.carry_out(direction, socket);
}

}  // namespace tbs::device
