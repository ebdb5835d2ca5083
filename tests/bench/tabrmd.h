#pragma once

// A tpm2-abrmd of the benchmark's own, on a message bus of its own.

#include <string>

#include "tests/integration/support/program.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::bench {

// The bus. Its address becomes that of this process's session bus.
class PrivateBus {
 public:
  explicit PrivateBus(const test::TempFolder& folder);

 private:
  test::Program program_;
};

class Tabrmd {
 public:
  // On the TPM that this TCTI configuration leads to. `name` tells it from others on the same bus.
  // Returns when it answers.
  Tabrmd(const test::TempFolder& folder, const std::string& name, const std::string& tcti);
  ~Tabrmd();
  Tabrmd(const Tabrmd&) = delete;
  Tabrmd& operator=(const Tabrmd&) = delete;

  [[nodiscard]] const std::string& bus_name() const { return bus_name_; }
  [[nodiscard]] pid_t pid() const { return program_.pid(); }

 private:
  void wait_until_ready();

  std::string bus_name_;
  std::string log_file_;
  test::Program program_;
};

}  // namespace tbs::bench
