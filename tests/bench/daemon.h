#pragma once

// A tbsd of the benchmark's own, with its socket in the run's folder; stopped at the end.

#include <string>
#include <vector>

#include "tests/bench/setup.h"
#include "tests/integration/support/program.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::bench {

class Daemon {
 public:
  // `name` of its socket and log. Does not wait for it.
  Daemon(const Setup& setup, const test::TempFolder& folder, const std::string& name,
         const std::string& device, const std::vector<std::string>& arguments = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Returns when a context can be opened and its TPM answers; throws with the log otherwise.
  void wait_until_ready();

  // The administrators', which are not limited as users are, for who may open it.
  [[nodiscard]] const std::string& socket() const;
  [[nodiscard]] const std::string& everybodys_socket() const { return socket_; }
  [[nodiscard]] pid_t pid() const { return program_.pid(); }

 private:
  std::string socket_;
  std::string admin_socket_;
  std::string log_file_;
  test::Program program_;
};

}  // namespace tbs::bench
