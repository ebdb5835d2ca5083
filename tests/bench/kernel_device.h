#pragma once

// The kernel's nodes of a TPM, used straight: /dev/tpm0, which one process has at a time, and
// /dev/tpmrm0, which is the kernel's resource manager.

#include <array>
#include <cstddef>
#include <string>

#include "tests/bench/client.h"
#include "tests/bench/fd.h"

namespace tbs::bench {

class NodeClient : public Client {
 public:
  explicit NodeClient(const std::string& path);
  proto::Bytes run(proto::Bytes command) override;

 private:
  Fd node_;
  std::array<std::uint8_t, 4096> room_{};
};

// Counts the commands that the driver sends to the TPM, whoever they come from, with a probe in the
// kernel. Takes root, and a kernel that has kprobes.
class DriverProbe {
 public:
  DriverProbe();
  ~DriverProbe();
  DriverProbe(const DriverProbe&) = delete;
  DriverProbe& operator=(const DriverProbe&) = delete;

  [[nodiscard]] std::size_t commands() const;
};

}  // namespace tbs::bench
