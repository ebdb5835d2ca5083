#include "daemon/loop/counted_transfer.h"

#include <algorithm>

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tbs::loop {
namespace {

// What the kernel never writes for a count: it moves less than 2 GiB at once.
constexpr unsigned kNothingMoved = ~0U;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

}  // namespace

void CountedTransfer::prepare(const std::uint8_t* first, std::size_t count) {
  size = std::min(count, kMostAtOnce);
  // The kernel does not write to what is sent.
  bytes = {.iov_base = const_cast<std::uint8_t*>(first), .iov_len = static_cast<std::size_t>(size)};
  message = {};
  message.msg_hdr.msg_iov = &bytes;
  message.msg_hdr.msg_iovlen = 1;
  message.msg_len = kNothingMoved;
}

std::expected<std::size_t, int> CountedTransfer::carry_out(Direction direction, int socket) {
  const bool sends = direction == Direction::Send;
  // Not libc's functions of these names: musl's hands the kernel a copy.
  long result = 0;
  do {
    result = sends ? ::syscall(SYS_sendmmsg, socket, &message, 1U, MSG_DONTWAIT | MSG_NOSIGNAL)
                   : ::syscall(SYS_recvmmsg, socket, &message, 1U, MSG_DONTWAIT, nullptr);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return std::unexpected(errno);
  return message.msg_len;
}

std::optional<std::size_t> CountedTransfer::moved() const {
  if (message.msg_len == kNothingMoved) return 0;
  if (message.msg_len > size) return std::nullopt;
  return message.msg_len;
}

}  // namespace tbs::loop
