#include "tests/support/tpm_process.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"

namespace tbs::test {
namespace {

constexpr std::size_t kLargestMessage = 8192;

// A message is one packet of the socket.
[[noreturn]] void serve(SoftwareTpm& chip, int socket) {
  chip.power_cycle();
  chip.run(tpm::build::startup(tpm::kStartupClear));
  std::array<std::uint8_t, kLargestMessage> buffer{};
  for (;;) {
    const ssize_t size = recv(socket, buffer.data(), buffer.size(), 0);
    if (size <= 0) _exit(0);
    const auto response = chip.run({buffer.data(), static_cast<std::size_t>(size)});
    if (send(socket, response.data(), response.size(), MSG_NOSIGNAL) < 0) _exit(0);
  }
}

}  // namespace

TpmProcess::TpmProcess(SoftwareTpm& chip) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::runtime_error("socketpair failed");
  }
  child_ = fork();
  if (child_ == 0) {
    close(ends[0]);
    serve(chip, ends[1]);
  }
  close(ends[1]);
  socket_ = ends[0];
  if (child_ < 0) throw std::runtime_error("fork failed");
}

TpmProcess::~TpmProcess() {
  // Later children hold copies of the socket, so closing it alone would not end this one.
  kill(child_, SIGKILL);
  close(socket_);
  waitpid(child_, nullptr, 0);
}

std::vector<std::uint8_t> TpmProcess::run(std::span<const std::uint8_t> command) {
  std::vector<std::uint8_t> response(kLargestMessage);
  if (send(socket_, command.data(), command.size(), MSG_NOSIGNAL) < 0) return {};
  const ssize_t size = recv(socket_, response.data(), response.size(), 0);
  response.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return response;
}

}  // namespace tbs::test
