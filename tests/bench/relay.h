#pragma once

// Stands between a TPM's user and its swtpm: counts the commands that reach the TPM, and holds each
// answer back until a chip would have given it. Runs in threads of this process.
//
// Users come by TCP, all by the same path, because the swtpm TCTI of tpm2-tss 3.2 speaks nothing
// else, and in any number, because that module connects anew for each command. The relay itself
// stays connected and passes on one command at a time, as a chip would take them. The control
// channel is passed on as it is, one connection after the other.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/chip.h"
#include "tests/bench/client.h"
#include "tests/bench/tcp_socket.h"

namespace tbs::bench {

class Relay {
 public:
  // In front of the swtpm with its data socket here and its control socket at `path`.ctrl.
  explicit Relay(std::string path);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] std::uint16_t port() const { return ports_.port; }
  [[nodiscard]] std::size_t commands() const { return commands_; }
  // From the next command on.
  void take_times_of(const Chip& chip) { chip_ = &chip; }

 private:
  void serve_data();
  void serve_commands();
  bool serve_user(int user);
  void pass_command(int user);
  void serve_control();
  void pass_control(int user);

  std::string path_;
  PortPair ports_;
  Fd tpm_;
  std::atomic<std::size_t> commands_ = 0;
  std::atomic<const Chip*> chip_ = &kNoChip;
  std::vector<Fd> users_;  // of the data channel; its thread's own
  std::jthread data_;
  std::jthread control_;
};

// Clients that share one line to the relay.
OpenClient direct_clients(const Relay& relay);

}  // namespace tbs::bench
