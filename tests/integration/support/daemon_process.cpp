#include "tests/integration/support/daemon_process.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <unistd.h>

#include "tests/integration/support/raw_client.h"

namespace tbs::test {
namespace {

ProgramOptions program_options(const DaemonOptions& options, const std::string& socket,
                               const std::string& log_file) {
  ProgramOptions program{.command = options.runner,
                         .environment = options.environment,
                         .output = log_file,
                         .listening = options.listening};
  program.command.push_back(tbsd_program());
  if (!options.device.empty()) program.command.push_back("--device=" + options.device);
  if (options.listening < 0) program.command.push_back("--socket=" + socket);
  // With it tbsd leaves with an exit code other than 0 when its handle tables were wrong.
  if (std::getenv("TBS_TEST_CHECK_TABLES") != nullptr) program.command.push_back("--check-tables");
  // Nothing that one test's daemon keeps may reach another's.
  const auto chosen = [](const std::string& argument) {
    return argument.starts_with("--state-dir");
  };
  if (std::ranges::none_of(options.arguments, chosen)) {
    program.command.push_back("--state-dir=" + socket + ".state");
  }
  program.command.insert(program.command.end(), options.arguments.begin(), options.arguments.end());
  return program;
}

}  // namespace

std::string tbsd_program() {
  const char* const path = std::getenv("TBS_TEST_TBSD");
  if (path == nullptr) throw std::runtime_error("TBS_TEST_TBSD does not name the daemon to test");
  return path;
}

DaemonProcess::DaemonProcess(const TempFolder& folder, const DaemonOptions& options)
    : socket_(folder / (options.name + ".sock")),
      admin_socket_(options.listening < 0 && options.administrators
                        ? folder /
                              (options.name == "tbsd" ? "admin.sock" : options.name + ".admin.sock")
                        : ""),
      log_file_(folder / (options.name + ".log")),
      program_(program_options(options, socket_, log_file_)) {}

DaemonProcess::~DaemonProcess() {
  std::fprintf(stderr, "--- log of tbsd %d%s ---\n%s---\n", program_.pid(),
               program_.running() ? ", which still runs" : "", log().c_str());
}

const std::string& DaemonProcess::socket() const {
  return ::geteuid() == 0 && !admin_socket_.empty() ? admin_socket_ : socket_;
}

void DaemonProcess::wait_until_listening() {
  const bool there =
      eventually([this] { return !program_.running() || RawClient::can_connect(socket_); });
  if (!there || !program_.running()) {
    throw std::runtime_error("tbsd does not listen on " + socket_ + ": " + log());
  }
}

int DaemonProcess::stop() {
  program_.signal(SIGTERM);
  return wait_for_exit();
}

int DaemonProcess::wait_for_exit() {
  return program_.wait().value_or(-1);
}

std::string DaemonProcess::log() const {
  return read_file(log_file_);
}

Outcome run_tbsd(const TempFolder& folder, const std::vector<std::string>& arguments) {
  const std::string output = folder / "run.log";
  write_file(output, "");
  ProgramOptions options{.command = {tbsd_program()}, .environment = {}, .output = output};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  Program program(options);
  const int exit_code = program.wait().value_or(-1);
  return {.exit_code = exit_code, .output = read_file(output)};
}

}  // namespace tbs::test
