#pragma once

// The node /dev/tpm0 as docs/kernel.md describes it, and the chip behind it with its timings and
// failures. While a command runs, whoever touches the node is blocked until its end.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "proto/byte_writer.h"
#include "tests/sim/kernel/file.h"
#include "tests/sim/kernel/kernel.h"
#include "tests/sim/world.h"

namespace tbs::sim {

class Node;

// What has happened to it that users may notice.
enum class Trouble : std::uint8_t { Failed, Lost, Gone, Reset, Back };

// What goes wrong, one time in so many commands; 0: never.
struct ChipPlan {
  std::uint64_t speed = 100;  // percent of the usual time
  std::uint64_t retries = 0;  // TPM_RC_RETRY before the command is carried out
  std::uint64_t lost = 0;     // the response is lost
  std::uint64_t failed = 0;   // the read fails
  std::uint64_t gone = 0;     // the device goes away for a while
  std::uint64_t resets = 0;   // the TPM loses its power as well
};

class Chip {
 public:
  using Run = std::function<proto::Buffer(std::span<const std::uint8_t>)>;
  using Reset = std::function<void()>;

  Chip(Kernel& kernel, ChipPlan plan, Run run, Reset reset);

  std::expected<SharedFile, int> open();
  // A new process has what a predecessor had open.
  void process_started();
  void stop_failing() { plan_ = {.speed = plan_.speed}; }

  // Something goes wrong that clients can notice, or has ended.
  std::function<void(Trouble)> troubled;
  [[nodiscard]] std::uint64_t commands() const { return commands_; }
  [[nodiscard]] bool busy() const;
  // Told of each command that begins to run, and how long it will.
  std::function<void(std::span<const std::uint8_t>, Time)> begins;
  // How often it has wanted a command later: the daemon puts it off then, and others come first.
  [[nodiscard]] std::uint64_t put_off() const { return put_off_; }

 private:
  friend Node;

  [[nodiscard]] Time duration(std::uint32_t code);
  bool happens(std::uint64_t one_in);
  void go_away(bool reset);

  Kernel& kernel_;
  ChipPlan plan_;
  Run run_;
  Reset reset_;
  Random random_;
  std::weak_ptr<Node> node_;
  bool there_ = true;
  std::uint64_t commands_ = 0;
  std::uint64_t put_off_ = 0;
};

}  // namespace tbs::sim
