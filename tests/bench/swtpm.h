#pragma once

// A swtpm of the benchmark's own, started up and ready for commands.

#include <string>

#include "tests/integration/support/swtpm_process.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::bench {

class Swtpm {
 public:
  explicit Swtpm(const test::TempFolder& folder);

  [[nodiscard]] std::string device() const { return process_.device(); }
  [[nodiscard]] const std::string& data_socket() const { return process_.data_socket(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

 private:
  test::SwtpmProcess process_;
};

}  // namespace tbs::bench
