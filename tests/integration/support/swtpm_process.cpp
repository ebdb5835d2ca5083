#include "tests/integration/support/swtpm_process.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/support/unix_socket.h"

namespace tbs::test {

namespace {

// From version 0.8 on swtpm shuts a TPM down that it stops or resets, and nothing is lost. Here it
// loses power.
bool shuts_down(const std::string& log_file) {
  static const bool known = [&] {
    Program swtpm({.command = {"swtpm", "socket", "--print-capabilities"},
                   .environment = {},
                   .output = log_file});
    swtpm.wait();
    return read_file(log_file).find("disable-auto-shutdown") != std::string::npos;
  }();
  return known;
}

}  // namespace

SwtpmProcess::SwtpmProcess(const TempFolder& folder, Family family)
    : family_(family),
      state_dir_(folder / "swtpm-state"),
      data_socket_(folder / "swtpm.sock"),
      control_socket_(data_socket_ + ".ctrl"),
      log_file_(folder / "swtpm.log") {
  std::filesystem::create_directory(state_dir_);
}

void SwtpmProcess::start() {
  std::filesystem::remove(data_socket_);
  std::filesystem::remove(control_socket_);
  std::vector<std::string> command = {
      "swtpm",      "socket",
      "--server",   "type=unixio,path=" + data_socket_,
      "--ctrl",     "type=unixio,path=" + control_socket_,
      "--tpmstate", "dir=" + state_dir_,
      "--flags",    shuts_down(log_file_) ? "not-need-init,disable-auto-shutdown" : "not-need-init",
      "--locality", "allow-set-locality"};
  if (family_ == Family::Tpm20) command.push_back("--tpm2");
  program_ = std::make_unique<Program>(
      ProgramOptions{.command = std::move(command), .environment = {}, .output = log_file_});
  const bool there = eventually([this] {
    return !program_->running() || (std::filesystem::is_socket(data_socket_) &&
                                    std::filesystem::is_socket(control_socket_));
  });
  if (!there || !program_->running()) {
    throw std::runtime_error("swtpm does not start: " + read_file(log_file_));
  }
}

void SwtpmProcess::kill() {
  program_->signal(SIGKILL);
  program_->wait();
}

proto::Buffer SwtpmProcess::ask(const proto::Buffer& command) const {
  // The file is there a moment before somebody listens.
  int socket = -1;
  if (!eventually([&] { return (socket = try_connect(data_socket_)) >= 0; })) {
    throw std::runtime_error("swtpm does not listen");
  }
  proto::Buffer response(4096);
  ssize_t size = -1;
  if (::send(socket, command.data(), command.size(), MSG_NOSIGNAL) > 0) {
    size = ::recv(socket, response.data(), response.size(), 0);
  }
  ::close(socket);
  if (size <= 0) throw std::runtime_error("swtpm does not answer");
  response.resize(static_cast<std::size_t>(size));
  return response;
}

void SwtpmProcess::power_cycle() const {
  const int control = connect_to(control_socket_);
  // CMD_INIT without flags (swtpm_ioctls(3)); the answer is a result code.
  const std::array<std::uint8_t, 8> command{0, 0, 0, 2, 0, 0, 0, 0};
  std::array<std::uint8_t, 4> result{1};
  const bool sent =
      ::send(control, command.data(), command.size(), 0) == static_cast<ssize_t>(command.size());
  const bool received = sent && ::recv(control, result.data(), result.size(), MSG_WAITALL) == 4;
  ::close(control);
  if (!received || result != std::array<std::uint8_t, 4>{}) {
    throw std::runtime_error("swtpm does not power-cycle");
  }
}

}  // namespace tbs::test
