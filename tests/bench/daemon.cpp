#include "tests/bench/daemon.h"

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "tests/bench/samples.h"
#include "tests/bench/tbs_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr std::chrono::seconds kReadyLimit{60};

std::vector<std::string> command_of(const Setup& setup, const std::string& socket,
                                    const std::string& device,
                                    const std::vector<std::string>& arguments) {
  // What an installed daemon keeps is neither read nor written.
  const std::string state = socket + ".state";
  std::filesystem::create_directory(state);
  std::vector<std::string> command{setup.tbsd, "--config=/dev/null", "--device=" + device,
                                   "--socket=" + socket, "--state-dir=" + state};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

bool answers(const std::string& socket) {
  try {
    TbsClient client(socket);
    return test::tpm::code(client.run(test::tpm::get_random(1))) == test::tpm::kSuccess;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

Daemon::Daemon(const Setup& setup, const test::TempFolder& folder, const std::string& name,
               const std::string& device, const std::vector<std::string>& arguments)
    : socket_(folder / (name + ".sock")),
      admin_socket_(folder / (name == "tbsd" ? "admin.sock" : name + ".admin.sock")),
      log_file_(folder / (name + ".log")),
      program_({.command = command_of(setup, socket_, device, arguments),
                .environment = {},
                .output = log_file_}) {}

Daemon::~Daemon() {
  program_.signal(SIGTERM);
  program_.wait(std::chrono::seconds(10));
}

const std::string& Daemon::socket() const {
  return ::access(admin_socket_.c_str(), W_OK) == 0 ? admin_socket_ : socket_;
}

void Daemon::wait_until_ready() {
  const auto deadline = Clock::now() + kReadyLimit;
  while (!answers(socket_)) {
    if (!program_.running() || Clock::now() > deadline) {
      throw std::runtime_error("tbsd does not start:\n" + test::read_file(log_file_));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

}  // namespace tbs::bench
