#include "daemon/restart/socket_transfer.h"

#include "daemon/base/ordered_store.h"

namespace tbs::restart {
namespace {

// The state: the transfer's number, and whether what is below it in the record is of that transfer.
constexpr std::uint64_t kPreparing = 0;
constexpr std::uint64_t kReceiving = 1;
constexpr std::uint64_t kSending = 2;
constexpr std::uint64_t kPhases = 4;

}  // namespace

struct SocketTransfer::Record {
  std::uint64_t state;
  std::uint64_t who;
  loop::CountedTransfer transfer;
};

std::expected<SocketTransfer, std::string> SocketTransfer::open(StateMemory& memory,
                                                                std::size_t offset) {
  static_assert(sizeof(Record) <= kSize);
  if (offset % kSize != 0 || offset >= memory.bytes().size()) {
    return std::unexpected("the record of transfers cannot be there");
  }
  const std::span<std::uint8_t> place = memory.bytes().subspan(offset, kSize);
  const auto pinned = memory.pin(place);
  if (!pinned) return std::unexpected(pinned.error());
  void* const record = place.data();
  return SocketTransfer(*static_cast<Record*>(record), *pinned);
}

std::expected<SocketTransfer::Moved, int> SocketTransfer::receive(int socket, std::uint64_t who,
                                                                  std::span<std::uint8_t> to) {
  return carry_out(Direction::Receive, socket, who, to.data(), to.size());
}

std::expected<SocketTransfer::Moved, int> SocketTransfer::send(int socket, std::uint64_t who,
                                                               proto::Bytes from) {
  return carry_out(Direction::Send, socket, who, from.data(), from.size());
}

std::expected<std::optional<SocketTransfer::Unfinished>, std::string> SocketTransfer::unfinished(
    std::uint64_t recorded) const {
  const Record& record = *record_;
  const std::uint64_t number = record.state / kPhases;
  const std::uint64_t phase = record.state % kPhases;
  if (phase == kPreparing || number <= recorded) return std::nullopt;
  const auto moved = record.transfer.moved();
  if (phase > kSending || !moved) return std::unexpected("the record of transfers is damaged");
  if (*moved == 0) return std::nullopt;
  return Unfinished{.number = number,
                    .who = record.who,
                    .direction = phase == kSending ? Direction::Send : Direction::Receive,
                    .bytes = *moved};
}

std::expected<SocketTransfer::Moved, int> SocketTransfer::carry_out(Direction direction, int socket,
                                                                    std::uint64_t who,
                                                                    const std::uint8_t* bytes,
                                                                    std::size_t size) {
  Record& record = *record_;
  const bool sends = direction == Direction::Send;
  const std::uint64_t number = record.state / kPhases + 1;
  store_in_order(record.state, number * kPhases + kPreparing);
  record.who = who;
  record.transfer.prepare(bytes, size);
  store_in_order(record.state, number * kPhases + (sends ? kSending : kReceiving));
  const auto moved = record.transfer.carry_out(direction, socket);
  if (!moved) return std::unexpected(moved.error());
  return Moved{.number = number, .bytes = *moved};
}

}  // namespace tbs::restart
