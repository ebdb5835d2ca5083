#pragma once

// Where the server's commands go, and what is known there of the TPM. The pump implements it; so do
// the stand-ins of the tests. Answers to what was submitted come back through Server::deliver(),
// possibly from within submit(), cancel() and close_context().

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/command/client_command.h"
#include "daemon/exec/execution.h"
#include "daemon/sched/dispatcher.h"
#include "proto/message.h"

namespace tbs::server {

struct DeviceView {
  proto::DeviceState state = proto::DeviceState::Starting;
  std::string_view name;
  std::uint32_t interface_type = 0;  // TPM_IFTYPE_* of tbs.h
  bool localities = false;           // whether others than 0 can be used
  std::uint32_t max_command = 0;     // longest that is let through, in bytes
  std::uint32_t max_response = 0;
  std::uint64_t times_lost = 0;
  // Why it is not ready and what to do, in the words of the log.
  std::string_view problem;
  std::string_view advice;
  std::optional<sched::OnDevice> on_device;  // what it has not answered yet
  // What a client is told when no TPM was ever reached: not there, or not yet.
  proto::Status missing = proto::Status::ServiceStartPending;
};

struct HandoverEvents {
  std::function<void(const sched::HandoverDeadlines&)> given;
  std::function<void()> over;
};

class CommandSink {
 public:
  virtual ~CommandSink() = default;

  virtual void open_context(ContextId context, const Principal& principal) = 0;
  // See exec::Engine.
  virtual void skip_handles(ContextId context, std::uint32_t earlier) = 0;
  virtual void inherit(ContextId heir, ContextId from) = 0;
  // What it has outstanding is not answered any more.
  virtual void close_context(ContextId context) = 0;
  virtual void submit(SharedCommand command) = 0;
  // All that it has outstanding, or the one command with this number.
  virtual void cancel(ContextId context, std::optional<RequestId> only) = 0;
  // Closes the device once nothing runs on it, and calls `given` then; `over` when the time for it
  // is over. take_back() ends it, whether it was given already or not.
  virtual void hand_over(const sched::HandoverTerms& terms, HandoverEvents events) = 0;
  virtual void take_back() = 0;
  // It was handed over in the process before this one. Before the device is opened; `given` is not
  // called.
  virtual void handed_over_before(const sched::HandoverDeadlines& until, HandoverEvents events) = 0;
  virtual proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) = 0;

  [[nodiscard]] virtual DeviceView device() const = 0;
  [[nodiscard]] virtual const exec::TpmIdentity& identity() const = 0;
  [[nodiscard]] virtual exec::Usage usage() const = 0;
  [[nodiscard]] virtual exec::AccountUsage usage_of(AccountId account) const = 0;
  [[nodiscard]] virtual std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                                 std::size_t most) const = 0;
  [[nodiscard]] virtual sched::RunningView running_of(ContextId context) const = 0;
  // By the same clock as that of the commands.
  [[nodiscard]] virtual sched::TpmActivity activity(TimePoint now) const = 0;
  [[nodiscard]] virtual sched::ContextActivity activity_of(AccountId account, ContextId context,
                                                           TimePoint now) const = 0;
  [[nodiscard]] virtual const sched::Counters& counters() const = 0;
  [[nodiscard]] virtual std::size_t queued() const = 0;
};

}  // namespace tbs::server
