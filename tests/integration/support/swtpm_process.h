#pragma once

// A swtpm of the test's own: its state and its two sockets are in the test's folder, so it can be
// killed and started again as the same TPM.

#include <memory>
#include <string>

#include "proto/byte_writer.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

class SwtpmProcess {
 public:
  enum class Family { Tpm20, Tpm12 };

  // Does not start it yet.
  explicit SwtpmProcess(const TempFolder& folder, Family family = Family::Tpm20);

  // Returns when its sockets are there.
  void start();
  void kill();
  // Off and on again, through the control channel: what is not in its flash is gone, and the TPM
  // has not been started. Connections stay.
  void power_cycle() const;
  // Sends a command past tbsd, which must not be connected, and returns the response.
  [[nodiscard]] proto::Buffer ask(const proto::Buffer& command) const;

  [[nodiscard]] pid_t pid() const { return program_->pid(); }
  // For tbsd's --device.
  [[nodiscard]] std::string device() const { return "swtpm:path=" + data_socket_; }
  [[nodiscard]] const std::string& data_socket() const { return data_socket_; }
  [[nodiscard]] const std::string& log_file() const { return log_file_; }

 private:
  Family family_;
  std::string state_dir_;
  std::string data_socket_;
  std::string control_socket_;
  std::string log_file_;
  std::unique_ptr<Program> program_;
};

}  // namespace tbs::test
