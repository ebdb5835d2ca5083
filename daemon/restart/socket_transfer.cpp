#include "daemon/restart/socket_transfer.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/restart/ordered_store.h"

namespace tbs::restart {
namespace {

// What the kernel never writes for a count: it moves less than 2 GiB at once.
constexpr unsigned kNothingMoved = ~0U;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

// The state: the transfer's number, and whether what is below it in the record is of that transfer.
constexpr std::uint64_t kPreparing = 0;
constexpr std::uint64_t kReceiving = 1;
constexpr std::uint64_t kSending = 2;
constexpr std::uint64_t kPhases = 4;

}  // namespace

struct SocketTransfer::Record {
  std::uint64_t state;
  std::uint64_t who;
  std::uint64_t size;
  iovec bytes;
  mmsghdr message;
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
  const unsigned moved = record.message.msg_len;
  if (phase > kSending || (moved != kNothingMoved && moved > record.size)) {
    return std::unexpected("the record of transfers is damaged");
  }
  if (moved == kNothingMoved || moved == 0) return std::nullopt;
  return Unfinished{.number = number,
                    .who = record.who,
                    .direction = phase == kSending ? Direction::Send : Direction::Receive,
                    .bytes = moved};
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
  const std::size_t most = std::min(size, kMostAtOnce);
  record.size = most;
  // The kernel does not write to what is sent.
  record.bytes = {.iov_base = const_cast<std::uint8_t*>(bytes), .iov_len = most};
  record.message = {};
  record.message.msg_hdr.msg_iov = &record.bytes;
  record.message.msg_hdr.msg_iovlen = 1;
  record.message.msg_len = kNothingMoved;
  store_in_order(record.state, number * kPhases + (sends ? kSending : kReceiving));
  // Not libc's functions of these names: musl's hands the kernel a copy.
  long result = 0;
  do {
    result = sends
                 ? ::syscall(SYS_sendmmsg, socket, &record.message, 1U, MSG_DONTWAIT | MSG_NOSIGNAL)
                 : ::syscall(SYS_recvmmsg, socket, &record.message, 1U, MSG_DONTWAIT, nullptr);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return std::unexpected(errno);
  return Moved{.number = number, .bytes = record.message.msg_len};
}

}  // namespace tbs::restart
