#include "tests/sim/kernel/socket.h"

#include <algorithm>
#include <cstring>

namespace tbs::sim {

File::Moved Socket::read(std::span<std::uint8_t> to) {
  if (pipe_->daemon_closed) return 0;
  const std::size_t count = std::min(to.size(), pipe_->waiting());
  if (count == 0) {
    if (pipe_->client_closed) return 0;
    return std::unexpected(EAGAIN);
  }
  const bool was_full = pipe_->waiting() == Pipe::kRoom;
  std::memcpy(to.data(), pipe_->to_daemon.data() + pipe_->taken, count);
  pipe_->taken += count;
  // One who floods never lets it become empty.
  if (pipe_->waiting() == 0 || pipe_->taken >= Pipe::kRoom) {
    const auto taken = static_cast<std::ptrdiff_t>(pipe_->taken);
    pipe_->to_daemon.erase(pipe_->to_daemon.begin(), pipe_->to_daemon.begin() + taken);
    pipe_->taken = 0;
  }
  if (was_full) pipe_->tell_client();
  return count;
}

File::Moved Socket::write(std::span<const std::uint8_t> from) {
  if (pipe_->daemon_closed || pipe_->client_closed) return std::unexpected(EPIPE);
  const std::size_t count = std::min(from.size(), Pipe::kRoom - pipe_->to_client.size());
  if (count == 0 && !from.empty()) return std::unexpected(EAGAIN);
  pipe_->to_client.insert(pipe_->to_client.end(), from.begin(),
                          from.begin() + static_cast<std::ptrdiff_t>(count));
  pipe_->tell_client();
  return count;
}

std::uint32_t Socket::ready() {
  std::uint32_t events = 0;
  const bool over = pipe_->client_closed || pipe_->daemon_closed;
  if (pipe_->waiting() > 0 || over) events |= EPOLLIN;
  if (over) events |= EPOLLHUP | EPOLLRDHUP;
  if (pipe_->to_client.size() < Pipe::kRoom) events |= EPOLLOUT;
  return events;
}

void Socket::shut_down() {
  if (std::exchange(pipe_->daemon_closed, true)) return;
  wake();
  pipe_->tell_client();
}

}  // namespace tbs::sim
