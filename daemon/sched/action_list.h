#pragma once

// What the dispatcher wants done, in order, and how often it was what.

#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/command/client_command.h"
#include "daemon/sched/action.h"
#include "daemon/sched/counters.h"

namespace tbs::sched {

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
    ++counter_of(status);
    add(Answer{.context = command.context(),
               .request = command.request(),
               .status = status,
               .response = std::move(response)});
  }
  // For commands that nobody waits for any more.
  void count_canceled(std::size_t commands) { counters_.canceled += commands; }
  // What became of so many commands that were cancelled.
  void count_cancels(CancelOutcome outcome, std::size_t commands = 1) {
    counters_.cancels[static_cast<std::size_t>(outcome)] += commands;
  }
  // A client's command has had its turn, after so long.
  void count_started(const ClientCommand& command, Duration waited) {
    of_kind(counters_.waiting, command).add(waited);
  }
  // The TPM has worked for it: so long, and of that so long for loading and evicting.
  void count_worked(const ClientCommand& command, Duration took, Duration swapping) {
    of_kind(counters_.working, command).add(took);
    counters_.swapping += swapping;
  }

  // `done`: those taken before, whose memory the next ones may have.
  std::vector<Action> take(std::vector<Action> done = {}) {
    for (Action& action : done) give_back(action);
    done.clear();
    return std::exchange(actions_, std::move(done));
  }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  static void give_back(Action& action);
  [[nodiscard]] std::uint64_t& counter_of(proto::Status status) {
    switch (status) {
      case proto::Status::Success:
        return counters_.answered;
      case proto::Status::CommandCanceled:
        return counters_.canceled;
      case proto::Status::IoError:
        return counters_.failed;
      default:
        return counters_.rejected;
    }
  }
  [[nodiscard]] static Histogram& of_kind(Counters::OfKinds& all, const ClientCommand& command) {
    return all[static_cast<std::size_t>(kind_of(command.effective_code()))];
  }

  std::vector<Action> actions_;
  Counters counters_;
};

}  // namespace tbs::sched
