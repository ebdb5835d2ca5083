#include "daemon/server/administration_requests.h"

#include <chrono>
#include <string>
#include <utility>

#include "daemon/server/limit_usage.h"
#include "proto/command_names.h"
#include "proto/limits.h"
#include "version.h"

namespace tbs::server {
namespace {

using proto::Status;

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

// A command that takes longer than this part of its time is told of, before its time is over: half
// a second for what a TPM answers from memory, 1.5 s for a signature, 15 s for the making of a key.
constexpr int kLongPart = 40;

struct Trouble {
  std::string problem;
  std::string advice;
};

// "7.5 s"
std::string tenths_of_seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// Why the device is not ready; or, of one that is, what keeps everybody waiting.
Trouble trouble_of(const DeviceView& device, TimePoint now) {
  const auto& command = device.on_device;
  const bool late = command && now - command->since >= command->allowed / kLongPart;
  if (!device.problem.empty() || device.state == proto::DeviceState::Down || !late) {
    return {.problem = std::string(device.problem), .advice = std::string(device.advice)};
  }
  const std::string_view name = proto::command_name(command->command_code);
  return {
      .problem = "the TPM has not answered " +
                 (name.empty() ? "a command" : "TPM2_" + std::string(name)) + " for " +
                 tenths_of_seconds(now - command->since) + ", and all other commands wait",
      .advice = "`tbsctl contexts` shows whose it is; the TPM is started anew when it has taken " +
                tenths_of_seconds(command->allowed)};
}

proto::TpmWork work_of(const sched::TpmActivity& tpm) {
  if (!tpm.work) return tpm.asleep ? proto::TpmWork::Asleep : proto::TpmWork::None;
  switch (tpm.work->kind) {
    case sched::WorkKind::Command:
      return proto::TpmWork::Command;
    case sched::WorkKind::Maintenance:
    case sched::WorkKind::IdleMaintenance:
      return proto::TpmWork::Own;
    case sched::WorkKind::BringUp:
      return proto::TpmWork::Starting;
    case sched::WorkKind::Shutdown:
      return proto::TpmWork::Ending;
  }
  return proto::TpmWork::None;
}

proto::WaitReason reason_of(const std::optional<sched::WaitingView>& waiting,
                            std::uint32_t highest) {
  if (!waiting) return proto::WaitReason::None;
  if (waiting->counts_as < waiting->priority) return proto::WaitReason::HighShare;
  return waiting->counts_as < highest ? proto::WaitReason::Priority : proto::WaitReason::Turn;
}

// A client's is named also while the TPM does something else for it first.
std::uint32_t code_of_work(const sched::WorkView& work, const CommandSink& sink) {
  if (work.kind == sched::WorkKind::Command) return sink.running_of(work.context).command_code;
  const auto on_device = sink.device().on_device;
  return on_device ? on_device->command_code : 0;
}

// What is the same for all contexts.
proto::ActivityList page_head(const sched::TpmActivity& tpm, const CommandSink& sink,
                              TimePoint now) {
  const exec::Usage usage = sink.usage();
  const auto count = [](std::size_t number) { return static_cast<std::uint32_t>(number); };
  return {.work = work_of(tpm),
          .command = tpm.work ? code_of_work(*tpm.work, sink) : 0,
          .context = tpm.work ? static_cast<std::uint64_t>(tpm.work->context) : 0,
          .work_us = tpm.work ? microseconds(now - tpm.work->since) : 0,
          .objects = count(usage.objects.held),
          .objects_loaded = count(usage.objects.loaded),
          .object_slots = count(usage.objects.slots),
          .sessions = count(usage.sessions.held),
          .sessions_loaded = count(usage.sessions.loaded),
          .session_slots = count(usage.sessions.slots),
          .entries = {}};
}

}  // namespace

proto::ContextEntry AdministrationRequests::describe(const Client& client) const {
  const sched::RunningView running = sink_.running_of(client.context());
  const bool runs = running.state != sched::RunState::None;
  // A detached command has been answered, so it is not among the outstanding ones.
  const std::size_t waiting =
      client.outstanding.size() - (running.state == sched::RunState::Running ? 1 : 0);
  return {.context = client.id,
          .uid = shown_number(client.peer.principal.user),
          .pid = static_cast<std::uint32_t>(client.peer.pid),
          .priority = runs ? running.priority : client.last_priority,
          .queued = static_cast<std::uint32_t>(waiting),
          .running = static_cast<std::uint32_t>(running.state),
          .command = running.command_code,
          .running_us = runs ? microseconds(environment_.now() - running.since) : 0,
          .queued_bytes = client.kept_bytes(),
          .submitted = client.submitted,
          .program = client.peer.program};
}

Handled AdministrationRequests::list_contexts(Client& client, std::uint64_t request_id,
                                              const proto::ListContexts& list) {
  const auto& contexts = clients_.contexts();
  proto::ContextList page;
  for (auto entry = contexts.upper_bound(list.after); entry != contexts.end(); ++entry) {
    if (page.entries.size() == proto::kMaxContextsPerPage) {
      page.more = 1;
      break;
    }
    page.entries.push_back(describe(*entry->second));
  }
  client.link->send(request_id, std::move(page));
  return {};
}

Status AdministrationRequests::may_concern(const Client& by, const Client* target) const {
  if (target == nullptr || !target->is_context()) return Status::InvalidContext;
  const bool allowed = by.peer.administrator || by.peer.principal == target->peer.principal;
  return allowed ? Status::Success : Status::AccessDenied;
}

Handled AdministrationRequests::cancel_context(Client& client, std::uint64_t request_id,
                                               const proto::CancelContext& request) {
  const auto link = client.link;
  const Client* const target = clients_.find(request.context);
  const Status status = may_concern(client, target);
  if (status == Status::Success) {
    audit_.canceled(client, *target);
    sink_.cancel(target->context(), std::nullopt);
  } else if (status == Status::AccessDenied) {
    audit_.denied(client, "the cancel of another user's context");
  }
  link->send(request_id, proto::CancelContextReply{.status = status});
  return {};
}

Handled AdministrationRequests::list_holdings(Client& client, std::uint64_t request_id,
                                              const proto::ListHoldings& request) {
  const Client* const target = clients_.find(request.context);
  proto::HoldingList list{.status = may_concern(client, target)};
  if (list.status == Status::Success) {
    list.entries = sink_.held_by(target->context(), proto::kMaxHoldings + 1);
    if (list.entries.size() > proto::kMaxHoldings) {
      list.more = 1;
      list.entries.pop_back();
    }
  } else if (list.status == Status::AccessDenied) {
    audit_.denied(client, "what another user's context holds");
  }
  client.link->send(request_id, std::move(list));
  return {};
}

Handled AdministrationRequests::list_activity(Client& client, std::uint64_t request_id,
                                              const proto::ListActivity& list) {
  const TimePoint now = environment_.now();
  const sched::TpmActivity tpm = sink_.activity(now);
  proto::ActivityList page = page_head(tpm, sink_, now);
  const auto& contexts = clients_.contexts();
  for (auto entry = contexts.upper_bound(list.after); entry != contexts.end(); ++entry) {
    if (page.entries.size() == proto::kMaxContextsPerPage) {
      page.more = 1;
      break;
    }
    const Client& each = *entry->second;
    const auto activity = sink_.activity_of(each.account(), each.context(), now);
    page.entries.push_back(
        {.context = each.id,
         .tpm_us = microseconds(activity.worked),
         .waiting_us = activity.waiting ? microseconds(now - activity.waiting->since) : 0,
         .reason = reason_of(activity.waiting, tpm.highest),
         .unit = each.peer.subject.unit});
  }
  client.link->send(request_id, std::move(page));
  return {};
}

Handled AdministrationRequests::daemon_status(Client& client, std::uint64_t request_id,
                                              const proto::DaemonStatus&) {
  const sched::Counters& counters = sink_.counters();
  const DeviceView device = sink_.device();
  Trouble trouble = trouble_of(device, environment_.now());
  client.link->send(request_id,
                    proto::DaemonStatusReply{
                        .device_state = device.state,
                        .contexts = static_cast<std::uint32_t>(admission_.contexts().total()),
                        .queued = static_cast<std::uint32_t>(sink_.queued()),
                        .uptime_us = microseconds(environment_.now() - started_),
                        .commands = counters.answered,
                        .transmitted = counters.transmitted,
                        .canceled = counters.canceled,
                        .failed = counters.failed,
                        .reopened = device.times_lost,
                        .version = kVersion,
                        .device = std::string(device.name),
                        .problem = std::move(trouble.problem),
                        .advice = std::move(trouble.advice)});
  return {};
}

Handled AdministrationRequests::list_limits(Client& client, std::uint64_t request_id,
                                            const proto::ListLimits&) {
  client.link->send(request_id,
                    limit_usage(sink_, admission_, back_pressure_.backlog(), ownership_));
  return {};
}

Handled AdministrationRequests::list_tenants(Client& client, std::uint64_t request_id,
                                             const proto::ListTenants&) {
  proto::TenantList list;
  for (const SharedProfile& tenant : admission_.tenants()) {
    if (list.entries.size() == proto::kMaxTenants) break;
    list.entries.push_back(
        {.number = shown_number(tenant_user(tenant->tenant)), .name = tenant->tenant});
  }
  client.link->send(request_id, std::move(list));
  return {};
}

}  // namespace tbs::server
