#pragma once

// One swtpm of a test's own: started, killed by its process id, started again on the same state.

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace tbs::test {

class SwtpmProcess {
 public:
  // Starts `swtpm socket --tpm2 --tpmstate dir=STATE_DIR` with `arguments` and waits until
  // something listens at `path`, or on `port` where that is not 0.
  SwtpmProcess(const std::string& state_dir, std::vector<std::string> arguments,
               const std::string& path, std::uint16_t port = 0);
  ~SwtpmProcess();
  SwtpmProcess(const SwtpmProcess&) = delete;
  SwtpmProcess& operator=(const SwtpmProcess&) = delete;

  void kill();
  void send(int signal) const;

 private:
  pid_t pid_;
};

// Two ports on the loopback interface that were free a moment ago, one after the other.
std::uint16_t free_port_pair();

}  // namespace tbs::test
