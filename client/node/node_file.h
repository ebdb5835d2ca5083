#pragma once

// What an open file of a node does, as the kernel's TPM device does it
// (drivers/char/tpm/tpm-dev-common.c): one command at a time, its response is read in any number of
// parts, and goes by itself after a while. A function for each thing that happens; it says what is
// to be done. No system call, no clock.
//
//   Idle     a command may be written; reads find nothing
//   Running  a command is with the TPM: another is EBUSY, reads wait for the response
//   Unread   a response, or why there is none, waits: another command is EBUSY until some of it was
//   read
//
// Other than there, nothing waits that a signal could not end.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::node {

// A system call of the program that is not answered yet. The owner numbers them.
using Call = std::uint64_t;

// TPM_BUFSIZE of the kernel.
inline constexpr std::size_t kNodeBuffer = 4096;

// How a call ends: with an errno value, else with what was read, or how much was written.
struct CallResult {
  Call call = 0;
  int error = 0;
  std::size_t written = 0;
  proto::Buffer read;
};

struct NodeActions {
  std::vector<CallResult> results;
  std::optional<proto::Buffer> submit;  // the command is to go to the TPM
  bool cancel = false;                  // the one that is there is not wanted any more
  std::optional<bool> clock;            // the time-out of the response starts, or stops
  bool look_again = false;              // who polls is to look again
};

class NodeFile {
 public:
  NodeActions write(Call call, proto::Bytes bytes, bool nonblocking);
  NodeActions read(Call call, std::size_t room);
  // A signal for the program that waits in the call.
  NodeActions interrupt(Call call);
  // The command has a response, or an errno value says why not.
  NodeActions finished(std::expected<proto::Buffer, int> outcome);
  // Nobody has read the response in time.
  NodeActions timed_out();
  // As poll(2) has it.
  [[nodiscard]] short events() const;

 private:
  enum class State : std::uint8_t { Idle, Running, Unread };
  struct Reader {
    Call call;
    std::size_t room;
  };

  [[nodiscard]] int refusal(proto::Bytes bytes) const;
  void become_idle(NodeActions& actions);
  void give(const Reader& reader, NodeActions& actions);
  void give_waiting(NodeActions& actions);

  State state_ = State::Idle;
  std::optional<Call> writer_;  // who waits for the command to end
  std::size_t written_ = 0;
  std::vector<Reader> readers_;
  proto::Buffer response_;
  std::size_t taken_ = 0;
  int error_ = 0;            // in place of a response, of who did not wait
  bool was_touched_ = true;  // by a read
};

}  // namespace tbs::node
