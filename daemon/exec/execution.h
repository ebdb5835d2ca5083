#pragma once

// The seam between the scheduler and what a command means to the TPM. The scheduler picks one
// command at a time and asks the engine for its execution; the execution is a state machine that
// says, step by step, what to send to the device, and at last what the client gets. It does no I/O
// and knows no clock.
//
// The resource managers (daemon/rm for TPM 2.0, daemon/rm12 for TPM 1.2) load, evict and translate
// around the client's command.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/family.h"
#include "daemon/base/ids.h"
#include "daemon/base/tally.h"
#include "daemon/command/client_command.h"
#include "proto/message.h"
#include "proto/status.h"

namespace tbs::exec {

// Send these bytes to the device and report the response.
struct Transmit {
  std::vector<std::uint8_t> command;
  std::uint8_t locality = 0;
  // True for the client's own command, which a cancel may abort; false for the steps around it
  // (context loads, saves, flushes), which must run to their end.
  bool client_command = false;
};

// Wait this long, then call on_pause_over(): back-off of a retry that nothing else may come before.
struct Pause {
  std::chrono::milliseconds duration;
};

// Whether the TPM was not ready, and has done nothing of the client's command: so the command may
// be executed anew, after others.
enum class Later : std::uint8_t {
  No,
  Command,   // it was not ready for this command
  NvWrites,  // nor for any that writes to its non-volatile memory: their rate is limited
};

// The execution has ended. `response` is what the client gets when `status` is TBS_SUCCESS, and is
// empty otherwise. With `later` it is what the client gets if the TPM was asked for long enough.
struct Done {
  proto::Status status = proto::Status::Success;
  std::vector<std::uint8_t> response;
  Later later = Later::No;
};

using Step = std::variant<Transmit, Pause, Done>;

class Execution {
 public:
  virtual ~Execution() = default;

  // Called once, first.
  virtual Step start() = 0;
  // The response to the last Transmit. Its bytes are whatever the device gave: not yet validated.
  virtual Step on_response(std::span<const std::uint8_t> response) = 0;
  virtual Step on_pause_over() = 0;

  // Cancel was asked for: do not send the client's command if it has not been sent yet (end with
  // Status::CommandCanceled instead). Called at any time between steps; may be called twice.
  virtual void withdraw() = 0;
  // Nobody waits for the response any more: what the client's command creates must be flushed
  // before the execution ends. Implies withdraw().
  virtual void detach() = 0;
};

// What is wrong with a TPM that was brought up: one sentence, and what an administrator can do.
struct Health {
  // In failure mode, or with a failed self-test: a power cycle may help.
  bool failed = false;
  std::string problem;  // empty when all is well
  std::string advice;

  template <typename Record>
  void fields(Record& record) {
    record(failed, problem, advice);
  }
};

// What bringing up the TPM has taught about it; nothing before.
struct TpmIdentity {
  std::optional<Family> family;
  std::uint32_t revision = 0;  // of the specification, times 100
  std::string manufacturer;    // four letters
  Health health;
  // In bytes; 0 where it does not say.
  std::uint32_t max_command = 0;
  std::uint32_t max_response = 0;

  template <typename Record>
  void fields(Record& record) {
    bool known = family.has_value();
    Family which = family.value_or(Family::Tpm20);
    record(known);
    record.choice(which, Family::Tpm20);
    record(revision, manufacturer, health);
    if (Record::kReads) family = known ? std::optional(which) : std::nullopt;
  }
  // Not in records of the first version.
  template <typename Record>
  void size_fields(Record& record) {
    record(max_command, max_response);
  }
};

// How many there are of all contexts together, how many of them are on the TPM, and how many have
// room there.
struct Occupancy {
  std::size_t held = 0;
  std::size_t loaded = 0;
  std::size_t slots = 0;
};

// Who has most on the TPM, loaded or not, of what is limited.
struct Usage {
  Peak<AccountId> objects_of_context;
  Peak<AccountId> objects_of_account;
  Peak<AccountId> sessions_of_context;
  Peak<AccountId> sessions_of_account;
  Peak<AccountId> orphans_of_account;
  Occupancy objects;
  Occupancy sessions;
};

// What one account has of it, in all its contexts.
struct AccountUsage {
  std::size_t objects = 0;
  std::size_t sessions = 0;  // with those whose context has closed
};

// Makes executions, and owns what outlives them (handle tables).
class Engine {
 public:
  virtual ~Engine() = default;

  virtual void open_context(ContextId context, const Principal& principal) = 0;
  // The client of the context, just opened, has lost so many connections before. What it made on
  // them is gone, but it may still name it: new handles are not those that it got there.
  virtual void skip_handles(ContextId context, std::uint32_t earlier) = 0;
  // The process of `heir`, an open context without objects, was forked from that of `from`: at its
  // next command it gets copies of the objects that `from` has then. Sequences and sessions stay
  // with `from`. Nothing happens where there is no such context.
  virtual void inherit(ContextId heir, ContextId from) = 0;
  // The context is gone; what it owned on the TPM is flushed by housekeeping executions.
  virtual void close_context(ContextId context) = 0;

  virtual std::unique_ptr<Execution> execute(SharedCommand command) = 0;

  // How many objects and sessions would have to be loaded, and about as many evicted, to run this
  // command now: what it costs to run it before another one. 0 when nothing has to be moved.
  [[nodiscard]] virtual std::size_t loads_needed(const ClientCommand& command) const = 0;

  // Asks that this object or session of the context stays on the TPM when others need room, or no
  // longer. BadParameter when the context has none of this handle, or the engine moves nothing;
  // TooManyResources when it would leave too little room for the others.
  virtual proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) = 0;

  [[nodiscard]] virtual Usage usage() const { return {}; }
  [[nodiscard]] virtual AccountUsage usage_of(AccountId) const { return {}; }
  // What a context has, at most so many.
  [[nodiscard]] virtual std::vector<proto::HoldingEntry> held_by(ContextId, std::size_t) const {
    return {};
  }

  // Work of the daemon's own that is due now (flush what closed contexts owned), or null. It is
  // asked for before each client command and whenever the device falls idle.
  virtual std::unique_ptr<Execution> housekeeping() = 0;
  // False where that would give nothing and change nothing: then it need not be asked for.
  [[nodiscard]] virtual bool may_have_housekeeping() const { return true; }
  // The same for work that can wait until the device has been idle for a while (evict what the
  // kernel's users would need), or null.
  virtual std::unique_ptr<Execution> idle_housekeeping() = 0;
  // When housekeeping() will be due though nothing happens until then; empty when it will not.
  [[nodiscard]] virtual std::optional<TimePoint> next_maintenance() const = 0;

  // Takes everything out of the TPM that can be loaded again, because the TPM is about to lose its
  // memory; null when there is nothing.
  virtual std::unique_ptr<Execution> evict_all() = 0;

  // First execution after the device was opened: starts the TPM where nobody has, and learns what
  // it is (bring_up.h). Its Done carries a failure status when the TPM cannot be used.
  virtual std::unique_ptr<Execution> bring_up() = 0;
  // Last execution before an orderly stop: evict everything, TPM2_Shutdown where `owns_power`.
  virtual std::unique_ptr<Execution> shutdown(bool owns_power) = 0;

  // The device went away or was reset with a command possibly running: nothing in the tables is
  // loaded any more.
  virtual void device_lost() = 0;
};

}  // namespace tbs::exec
