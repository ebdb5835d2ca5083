#pragma once

// Stands between a TPM's user and its swtpm: counts the commands that reach the TPM, and holds each
// answer back until a chip would have given it. Runs in threads of this process.
//
// Users come by TCP, all by the same road, because the swtpm TCTI of tpm2-tss 3.2 speaks nothing
// else; the control channel is passed on as it is.

#include <atomic>
#include <mutex>
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
  using Serve = void (Relay::*)(int user);

  void accept_all(int listening, Serve serve);
  void serve_data(int user);
  void serve_control(int user);
  void pass_command(int user, int tpm);

  std::string path_;
  PortPair ports_;
  std::atomic<std::size_t> commands_ = 0;
  std::atomic<const Chip*> chip_ = &kNoChip;
  std::mutex mutex_;  // the two lists below
  std::vector<Fd> sockets_;
  std::vector<std::jthread> threads_;
  std::vector<std::jthread> listeners_;
};

// Clients that share one line to the relay.
OpenClient direct_clients(const Relay& relay);

}  // namespace tbs::bench
