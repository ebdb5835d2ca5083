#pragma once

// The real tbsd, started with a socket in the test's folder and its log in a file there.

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/support/program.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

// The program under test (TBS_TEST_TBSD).
std::string tbsd_program();

struct DaemonOptions {
  std::string device;
  std::vector<std::string> arguments;  // on top of --device and --socket
  std::vector<std::string> environment;
  std::vector<std::string> runner;  // a program that runs the daemon, and its own arguments
  int listening = -1;               // handed over as systemd does; --socket is not given then
  std::string name = "tbsd";        // of the socket and the log, without their endings
  bool administrators = true;       // whether they have a socket
};

class DaemonProcess {
 public:
  DaemonProcess(const TempFolder& folder, const DaemonOptions& options);
  // Shows the log of a daemon that has not been stopped in good order.
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // Returns when the socket accepts; throws with the log when the daemon has ended instead.
  void wait_until_listening();
  // Asks it to stop; the exit code, or -1 when it goes on running.
  int stop();
  int wait_for_exit();

  Program& program() { return program_; }
  // Where a program of ours connects when it takes the most that it is given: root to the
  // administrators' socket, others to everybody's.
  [[nodiscard]] const std::string& socket() const;
  [[nodiscard]] const std::string& everybodys_socket() const { return socket_; }
  [[nodiscard]] const std::string& admin_socket() const { return admin_socket_; }
  [[nodiscard]] std::string log() const;

 private:
  std::string socket_;
  std::string admin_socket_;  // empty when it was not bound
  std::string log_file_;
  Program program_;
};

// Runs tbsd with these arguments until it ends by itself, and returns what it said.
struct Outcome {
  int exit_code = -1;
  std::string output;
};
Outcome run_tbsd(const TempFolder& folder, const std::vector<std::string>& arguments);

}  // namespace tbs::test
