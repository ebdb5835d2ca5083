#pragma once

// What is under way on the TPM, at most one thing at a time: walks through its execution, keeps its
// deadlines, answers the client exactly once, and cancels. A command that the TPM was not ready for
// it hands back without an answer, unless it was cancelled meanwhile. Life of a client's command
// here, and what a cancel does in each state:
//
//   running    the device is asked to cancel, and gets kCancelGrace to say how it ended:
//              finished first -> its response; TPM_RC_CANCELED or ECANCELED -> COMMAND_CANCELED
//   detached   the grace is over: answered COMMAND_CANCELED, still on the TPM; what it creates is
//              flushed when it ends, and the next command waits until then

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/sched/action_list.h"
#include "daemon/sched/work.h"
#include "proto/byte_reader.h"

namespace tbs::sched {

// How long the submitter of a cancelled command waits to be told how it really ended.
inline constexpr std::chrono::milliseconds kCancelGrace{10};

// The longest a TPM command may take before the device counts as hung.
using DeadlineOf = std::chrono::seconds (*)(std::uint32_t command_code);

enum class RunState : std::uint8_t { None, Running, Detached };

// What runs for a context, for listings.
struct RunningView {
  RunState state = RunState::None;
  std::uint32_t priority = 0;
  std::uint32_t command_code = 0;
  TimePoint since;
};

// What is under way, whoever wanted it.
struct WorkView {
  WorkKind kind = WorkKind::Command;
  ContextId context{};  // with WorkKind::Command
  TimePoint since;
};

// What the TPM has been sent and has not answered yet, whoever wanted it.
struct OnDevice {
  std::uint32_t command_code = 0;
  TimePoint since;
  Duration allowed{};  // after this the device counts as hung
};

class Runner {
 public:
  // `actions` must outlive it.
  Runner(ActionList& actions, DeadlineOf deadline_of)
      : actions_(actions), deadline_of_(deadline_of) {}

  [[nodiscard]] bool busy() const { return running_.has_value(); }
  // Something must be under way.
  [[nodiscard]] WorkKind kind() const { return running_->work.kind; }
  // `only`: that command of it.
  [[nodiscard]] bool runs_for(ContextId context, std::optional<RequestId> only = {}) const;
  // Whether a client's command is under way that nobody has cancelled yet.
  [[nodiscard]] bool cancellable() const;
  [[nodiscard]] bool waits_for_device() const { return running_ && running_->on_device; }
  [[nodiscard]] RunningView view_of(ContextId context) const;
  [[nodiscard]] std::optional<WorkView> under_way() const;
  [[nodiscard]] std::optional<OnDevice> on_device() const;
  [[nodiscard]] std::optional<TimePoint> deadline() const;

  // These may be the end of what is under way.
  std::optional<EndedWork> start(Work work, TimePoint now);
  std::optional<EndedWork> adopt(LeftWork left, TimePoint now);
  // The device has answered what it was sent.
  std::optional<EndedWork> responded(proto::Bytes response, TimePoint now);
  // Time has passed. The device may have missed a deadline: then overdue() says so.
  std::optional<EndedWork> tick(TimePoint now);
  [[nodiscard]] bool overdue(TimePoint now) const;

  // Only while cancellable(). `as`: how it is answered if it does not come to its end.
  void cancel(TimePoint now, proto::Status as = proto::Status::CommandCanceled);
  // The kernel says that it has cancelled what was on the device.
  void canceled_by_kernel();
  // The context has closed: nobody is there to be answered any more.
  void abandon(TimePoint now);
  // A client's command has come: what can be left for later ends soon.
  void make_way();
  // Ends what is under way without its response.
  EndedWork drop(TimePoint now, proto::Status status = proto::Status::IoError);

 private:
  enum class CancelState : std::uint8_t { None, Grace, Detached };

  struct Running {
    Work work;
    CancelState cancel = CancelState::None;
    proto::Status canceled_as = proto::Status::CommandCanceled;
    bool cancel_counted = false;  // what became of it is known
    bool answered = false;        // or nobody is there to be answered
    bool transmitted = false;     // anything, for it
    bool on_device = false;
    bool client_command_on_device = false;
    bool carried_out = false;  // the client's command has succeeded: too late for a cancel
    TimePoint sent;            // what is on the device
    std::uint32_t sent_code = 0;
    Duration swapping{};  // time spent on steps around the client's command
    TimePoint since;
    TimePoint deadline;     // of the command on the device, or the end of a pause
    TimePoint grace_until;  // with CancelState::Grace
  };

  std::optional<EndedWork> apply(exec::Step step, TimePoint now);
  void transmit(exec::Transmit transmit, bool resumed, TimePoint now);
  EndedWork finish(exec::Done done, TimePoint now);
  void answer_with(exec::Done& done);
  EndedWork end(proto::Status status, TimePoint now);
  void detach();
  void answer(proto::Status status, std::vector<std::uint8_t> response = {});
  // What became of the cancel, if there was one that is not counted yet.
  void count_cancel(CancelOutcome outcome);

  ActionList& actions_;
  DeadlineOf deadline_of_;
  std::optional<Running> running_;
};

}  // namespace tbs::sched
