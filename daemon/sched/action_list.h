#pragma once

// What the dispatcher wants done, in order, and how often it was what.

#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/command/client_command.h"
#include "daemon/sched/action.h"

namespace tbs::sched {

struct Counters {
  std::uint64_t answered = 0;     // client commands answered with a response
  std::uint64_t transmitted = 0;  // TPM commands sent to the device
  std::uint64_t canceled = 0;
  std::uint64_t failed = 0;  // client commands answered IOERROR
};

class ActionList {
 public:
  // Not inline: GCC 12 warns of parts of a variant that it believes are moved uninitialized.
  void add(Action&& action);
  void send(SendToDevice command) {
    ++counters_.transmitted;
    add(std::move(command));
  }
  void answer(const ClientCommand& command, proto::Status status,
              std::vector<std::uint8_t> response = {}) {
    if (status == proto::Status::Success) ++counters_.answered;
    if (status == proto::Status::CommandCanceled) ++counters_.canceled;
    if (status == proto::Status::IoError) ++counters_.failed;
    add(Answer{.context = command.context(),
               .request = command.request(),
               .status = status,
               .response = std::move(response)});
  }
  // For commands that nobody waits for any more.
  void count_canceled(std::size_t commands) { counters_.canceled += commands; }

  // `done`: those taken before, whose memory the next ones may have.
  std::vector<Action> take(std::vector<Action> done = {}) {
    done.clear();
    return std::exchange(actions_, std::move(done));
  }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  std::vector<Action> actions_;
  Counters counters_;
};

}  // namespace tbs::sched
