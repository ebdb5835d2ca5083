#include "daemon/device/node_exchange.h"

#include <ctime>
#include <utility>
#include <vector>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "daemon/base/ordered_store.h"

namespace tbs::device {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// The kernel drops a response 120 s after the TPM has given it.
constexpr std::uint64_t kMayBeDropped = 100 * kSecond;
constexpr int kPause = 20;  // milliseconds

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

bool certainly_sent(const NodeExchange& exchange) {
  if (!exchange.may_be_sent || exchange.memory == nullptr) return false;
  const auto& command = exchange.memory->command();
  if (command.phase != ResponseMemory::kBegun) return true;
  return command.started != 0 && now() - command.started > kMayBeDropped;
}

void wait_a_little(int node) {
  pollfd readable{.fd = node, .events = POLLIN, .revents = 0};
  ::poll(&readable, 1, kPause);
}

// What a read gave: a count, or an errno value; nothing to read is neither.
struct ReadResult {
  std::size_t count = 0;
  int error = 0;
};

ReadResult read_node(int node, std::span<std::uint8_t> into) {
  while (true) {
    const ssize_t count = ::read(node, into.data(), into.size());
    if (count >= 0) return {.count = static_cast<std::size_t>(count)};
    if (errno == EAGAIN) return {};
    if (errno != EINTR) return {.error = errno};
  }
}

// 0, or an errno value.
int write_command(int node, const NodeExchange& exchange) {
  note_start(exchange.memory);
  while (true) {
    const ssize_t count = ::write(node, exchange.command.data(), exchange.command.size());
    if (count == static_cast<ssize_t>(exchange.command.size())) break;
    if (count >= 0) return EIO;
    if (errno != EINTR) return errno;
  }
  note_written(exchange.memory);
  return 0;
}

// Until the node takes the command.
int write_after_another(int node, const NodeExchange& exchange) {
  // Not into the memory, where it would be the response to this command.
  std::vector<std::uint8_t> discarded(exchange.response.size());
  bool failed = false;
  while (true) {
    const ReadResult other = read_node(node, discarded);
    if (other.count > 0) continue;
    // What became of the other command is said once. A node that goes on failing is of no use.
    if (other.error != 0 && std::exchange(failed, true)) return other.error;
    if (other.error != 0) continue;
    const int error = write_command(node, exchange);
    if (error != EBUSY) return error;
    wait_a_little(node);
  }
}

}  // namespace

std::expected<std::size_t, NodeFailure> finish_exchange(int node, const NodeExchange& exchange) {
  bool sent = certainly_sent(exchange);
  if (!exchange.may_be_sent) {
    const int error = write_after_another(node, exchange);
    if (error != 0) return std::unexpected(NodeFailure{"write to", error});
    sent = true;
  }
  const std::uint64_t end =
      now() + static_cast<std::uint64_t>(std::chrono::nanoseconds(exchange.longest_start).count());
  while (now() < end) {
    const ReadResult result = read_node(node, exchange.response);
    if (result.error != 0) return std::unexpected(NodeFailure{"read from", result.error});
    if (result.count > 0) return result.count;
    if (!sent) {
      const int error = write_command(node, exchange);
      if (error != 0 && error != EBUSY) return std::unexpected(NodeFailure{"write to", error});
      sent = true;
    }
    wait_a_little(node);
  }
  return std::unexpected(NodeFailure{"read from", ENODATA});
}

void note_start(ResponseMemory* memory) {
  if (memory != nullptr) store_in_order(memory->command().started, now());
}

void note_written(ResponseMemory* memory) {
  if (memory != nullptr) store_in_order(memory->command().phase, ResponseMemory::kWritten);
}

void note_failure(ResponseMemory* memory, int error) {
  if (memory == nullptr) return;
  memory->command().error = static_cast<std::uint64_t>(error);
  store_in_order(memory->command().phase, ResponseMemory::kFailed);
}

}  // namespace tbs::device
