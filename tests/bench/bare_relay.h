#pragma once

// The least that a daemon in front of /dev/tpm0 can be: a process that passes the commands of one
// client on, and the answers back, and does nothing else. It keeps the rules of the kernel's device
// (a wait armed before the write, one plain write, no touch until the wake-up). What it loses
// against the bare device is what a second process costs on this machine, and nobody can win back.

#include <array>
#include <string>

#include <sys/types.h>

#include "tests/bench/client.h"
#include "tests/bench/fd.h"

namespace tbs::bench {

// Starts the process, and ends it when the client goes.
class BareRelayClient : public Client {
 public:
  explicit BareRelayClient(const std::string& node);
  ~BareRelayClient() override;
  BareRelayClient(const BareRelayClient&) = delete;
  BareRelayClient& operator=(const BareRelayClient&) = delete;

  proto::Bytes run(proto::Bytes command) override;

 private:
  Fd socket_;
  pid_t relay_ = -1;
  std::array<std::uint8_t, 4096> room_{};
};

}  // namespace tbs::bench
