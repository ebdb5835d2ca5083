#pragma once

// `share = auto`: who uses the TPM past the daemon, as far as can be known, and what that asks of
// its slots. A program on the kernel's /dev/tpmrmN is noticed when it opens the node or uses it; it
// may need all slots. What the kernel does by itself nobody notices, so that it could do it has to
// be enough: it needs a few slots at any time.

#include <chrono>
#include <cstdint>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/exec/limits.h"

namespace tbs::exec {

class KernelUse {
 public:
  // Programs come again: those of tpm2-tools open the node for each command.
  static constexpr std::chrono::seconds kMemory{30};

  enum class Node : std::uint8_t {
    Unseen,   // somebody may have it
    None,     // nobody can
    Watched,  // who opens or uses it is noticed
  };

  // Whoever has opened the node earlier is not known, until the next command.
  void set_node(Node node, TimePoint now);
  // Somebody has opened the node, used it or closed it.
  void noticed(TimePoint now) { last_ = now; }
  // Whether the kernel may use objects and sessions by itself.
  void set_kernel_itself(bool may) { kernel_itself_ = may; }

  [[nodiscard]] Share share(TimePoint now) const;
  // When that may be another one without a further event.
  [[nodiscard]] std::optional<TimePoint> changes_at(TimePoint now) const;

 private:
  Node node_ = Node::Unseen;
  std::optional<TimePoint> last_;
  bool kernel_itself_ = false;
};

}  // namespace tbs::exec
