#pragma once

// One transfer of bytes on a stream socket, recorded in memory that outlives the process: how many
// bytes it has moved is written there by the kernel itself, within the system call. After recv(2)
// and send(2) only a register knows that, until the program has stored it: killed in between, bytes
// are lost or come twice.
//
// Why that holds (Linux, net/socket.c): for one message, do_recvmmsg() and __sys_sendmmsg() call
// ___sys_recvmsg() or ___sys_sendmsg(), and when that has moved bytes, put_user(err,
// &entry->msg_len) with nothing between them that waits or looks for signals. MSG_DONTWAIT keeps
// what is before them from waiting. A kill is acted on when the system call returns, or before
// anything was moved. put_user() fails only if the page of the record is not there; so it should be
// pinned. See also recvmmsg(2), sendmmsg(2): msg_len is the number of bytes of that message.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include <sys/socket.h>
#include <sys/uio.h>

namespace tbs::loop {

// Zeros are a transfer that has moved nothing. It must lie in one page.
struct CountedTransfer {
  enum class Direction : std::uint8_t { Receive, Send };

  // Before it counts for a successor: nothing is moved yet. At most 1 GiB is moved at once.
  void prepare(const std::uint8_t* first, std::size_t count);
  // Moves at least one byte; 0 when it has received the end of the stream. An error is an errno
  // value: nothing was moved, except by EFAULT, after which the stream cannot be trusted. It never
  // waits (EAGAIN), and sends without SIGPIPE.
  std::expected<std::size_t, int> carry_out(Direction direction, int socket);
  // How many bytes it has moved, whoever asks; nothing when this cannot be such a record.
  [[nodiscard]] std::optional<std::size_t> moved() const;

  std::uint64_t size;
  iovec bytes;
  mmsghdr message;
};

}  // namespace tbs::loop
