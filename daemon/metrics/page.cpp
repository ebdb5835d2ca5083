#include "daemon/metrics/page.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tbs::metrics {
namespace {

using proto::DeviceState;

constexpr Family of_process(std::string_view name, Type type, std::string_view help,
                            std::string_view labels, void (*write)(Exposition&, const Reading&)) {
  return {{name, type, help}, labels, write, nullptr};
}

constexpr Family of_tpm(std::string_view name, Type type, std::string_view help,
                        std::string_view labels, void (*write)(Exposition&, const TpmReading&)) {
  return {{name, type, help}, labels, nullptr, write};
}

template <typename Names, typename Values>
void numbers(Exposition& out, std::string_view label, const Names& names, const Values& values) {
  for (std::size_t i = 0; i < names.size(); ++i) out.number(values[i], {{label, names[i]}});
}

void of_kinds(Exposition& out, const sched::Counters::OfKinds& histograms) {
  for (std::size_t i = 0; i < kCommandKindNames.size(); ++i) {
    out.histogram(histograms[i], {{"kind", kCommandKindNames[i]}});
  }
}

// Objects are keys and sequences; sessions of TPM 1.2 are authorizations and transports.
void of_both(Exposition& out, std::uint64_t objects, std::uint64_t sessions) {
  out.number(objects, {{"what", "object"}});
  out.number(sessions, {{"what", "session"}});
}

void device_states(Exposition& out, const TpmReading& tpm) {
  const DeviceState state = tpm.device.state;
  out.number(state == DeviceState::Starting, {{"state", "starting"}});
  out.number(state == DeviceState::Ready, {{"state", "ready"}});
  out.number(state == DeviceState::Down, {{"state", "down"}});
}

void results(Exposition& out, const TpmReading& tpm) {
  out.number(tpm.counters.answered, {{"result", "answered"}});
  out.number(tpm.counters.canceled, {{"result", "cancelled"}});
  out.number(tpm.counters.failed, {{"result", "failed"}});
  out.number(tpm.counters.rejected, {{"result", "rejected"}});
}

void refusals(Exposition& out, const TpmReading& tpm) {
  numbers(out, "reason", server::kRefusalNames, tpm.refusals);
  out.number(tpm.statistics.refused, {{"reason", "resource-manager"}});
}

void events(Exposition& out, const TpmReading& tpm) {
  for (const proto::EventName& event : proto::kEventNames) {
    // It is about no client and no TPM, so nobody counts it here.
    if (event.event == proto::Event::Descriptors) continue;
    out.number(tpm.events[static_cast<std::size_t>(event.event)], {{"event", event.name}});
  }
}

constexpr auto kFamilies = std::to_array<Family>({
    of_process(
        "tbs_build_info", Type::Gauge, "The version of tbsd; always 1.", "version",
        [](Exposition& out, const Reading& all) { out.number(1, {{"version", all.version}}); }),
    of_process("process_start_time_seconds", Type::Gauge,
               "When this process of tbsd was started, in seconds since 1970.", "",
               [](Exposition& out, const Reading& all) { out.seconds(all.start_time); }),
    of_process("tbs_loop_gap_seconds", Type::Gauge,
               "Longest time in the last one to two minutes for which tbsd looked at no socket.",
               "", [](Exposition& out, const Reading& all) { out.seconds(all.loop_gap); }),
    of_tpm("tbs_restarts_survived_total", Type::Counter,
           "Restarts of tbsd over which clients kept what they had; this one goes on over them.",
           "", [](Exposition& out, const TpmReading& tpm) { out.number(tpm.restarts); }),

    of_tpm("tbs_device_up", Type::Gauge, "1 when the TPM is ready, else 0.", "",
           [](Exposition& out, const TpmReading& tpm) {
             out.number(tpm.device.state == DeviceState::Ready);
           }),
    of_tpm("tbs_device_state", Type::Gauge, "1 for the state that the TPM's device is in.", "state",
           device_states),
    of_tpm("tbs_device_info", Type::Gauge, "Which TPM it is; always 1.",
           "device, family, manufacturer",
           [](Exposition& out, const TpmReading& tpm) {
             out.number(1, {{"device", tpm.device.name},
                            {"family", tpm.device.family},
                            {"manufacturer", tpm.device.manufacturer}});
           }),
    of_tpm("tbs_device_losses_total", Type::Counter,
           "How often the device failed and was opened again.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.device.losses); }),

    of_tpm("tbs_commands_total", Type::Counter,
           "Commands of clients that were queued and have been answered, by how.", "result",
           results),
    of_tpm("tbs_queued_commands", Type::Gauge, "Commands of clients that wait for the TPM.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.queued); }),
    of_tpm("tbs_command_wait_seconds", Type::Histogram,
           "From a command's arrival to its turn, by kind of command.", "kind",
           [](Exposition& out, const TpmReading& tpm) { of_kinds(out, tpm.counters.waiting); }),
    of_tpm(
        "tbs_command_tpm_seconds", Type::Histogram,
        "From a command's turn to its end, with loads and saves, by kind; one put off has several.",
        "kind",
        [](Exposition& out, const TpmReading& tpm) { of_kinds(out, tpm.counters.working); }),
    of_tpm("tbs_swap_seconds_total", Type::Counter,
           "Of that, the time for loads and saves around the commands.", "",
           [](Exposition& out, const TpmReading& tpm) { out.seconds(tpm.counters.swapping); }),
    of_tpm("tbs_cancels_total", Type::Counter,
           "Commands that were cancelled, by what became of them.", "outcome",
           [](Exposition& out, const TpmReading& tpm) {
             numbers(out, "outcome", sched::kCancelOutcomeNames, tpm.counters.cancels);
           }),
    of_tpm("tbs_refused_total", Type::Counter,
           "What clients were refused without asking the TPM, by reason.", "reason", refusals),
    of_tpm("tbs_events_total", Type::Counter, "Events as the journal has them, by name.", "event",
           events),

    of_tpm("tbs_tpm_commands_total", Type::Counter,
           "Commands that were sent to the TPM, those of tbsd itself included.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.counters.transmitted); }),
    of_tpm("tbs_answered_from_memory_total", Type::Counter,
           "Commands that tbsd answered itself, without the TPM.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.statistics.from_memory); }),
    of_tpm("tbs_loads_total", Type::Counter, "Contexts loaded into the TPM.", "what",
           [](Exposition& out, const TpmReading& tpm) {
             of_both(out, tpm.statistics.object_loads, tpm.statistics.session_loads);
           }),
    of_tpm("tbs_saves_total", Type::Counter, "Contexts saved from the TPM.", "what",
           [](Exposition& out, const TpmReading& tpm) {
             of_both(out, tpm.statistics.object_saves, tpm.statistics.session_saves);
           }),
    of_tpm(
        "tbs_evictions_total", Type::Counter,
        "Objects and sessions taken out of the TPM to make room; saving a session takes it out.",
        "what",
        [](Exposition& out,
           const TpmReading&
               tpm) { of_both(out, tpm.statistics.object_flushes, tpm.statistics.session_saves); }),
    of_tpm(
        "tbs_gap_refreshes_total", Type::Counter,
        "Saved sessions loaded and saved again before the TPM's counter of contexts ran out.", "",
        [](Exposition& out, const TpmReading& tpm) { out.number(tpm.statistics.gap_refreshes); }),
    of_tpm("tbs_retries_total", Type::Counter,
           "Pauses before a command was sent once more, because the TPM asked for it.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.statistics.waits); }),
    of_tpm("tbs_repairs_total", Type::Counter,
           "Refusals of the TPM that tbsd put right before the client saw them.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.statistics.repairs); }),

    of_tpm("tbs_tpm_lockout_failures", Type::Gauge,
           "The TPM's own count of failed authorizations, when it was asked last.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.lockout.tpm_failures); }),
    of_tpm("tbs_tpm_lockout_limit", Type::Gauge,
           "At which count the TPM locks everybody out; 0 when it has not said.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.lockout.tpm_limit); }),
    of_tpm("tbs_lockout_users", Type::Gauge,
           "Users with failed authorizations, and those of them who are held back.", "state",
           [](Exposition& out, const TpmReading& tpm) {
             out.number(tpm.lockout.users_failed, {{"state", "failed"}});
             out.number(tpm.lockout.users_locked, {{"state", "locked"}});
           }),

    of_tpm("tbs_connections", Type::Gauge, "Open connections, contexts and others.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.connections); }),
    of_tpm("tbs_contexts", Type::Gauge, "Open contexts.", "",
           [](Exposition& out, const TpmReading& tpm) { out.number(tpm.contexts); }),
    of_tpm("tbs_role_contexts", Type::Gauge,
           "Open contexts by role of the rules; who has several counts in each of them.", "role",
           [](Exposition& out, const TpmReading& tpm) {
             for (const Named& role : tpm.contexts_by_role) {
               out.number(role.number, {{"role", role.name}});
             }
           }),
    of_tpm("tbs_role_quota_used", Type::Gauge,
           "Of limits on a user, how much the user of each role has who has most.", "role, limit",
           [](Exposition& out, const TpmReading& tpm) {
             for (const RoleQuota& quota : tpm.quotas_by_role) {
               out.number(quota.used, {{"role", quota.role}, {"limit", quota.limit}});
             }
           }),
    of_tpm("tbs_user_contexts", Type::Gauge,
           "Open contexts by user number, with metrics-users alone.", "uid",
           [](Exposition& out, const TpmReading& tpm) {
             for (const Named& user : tpm.contexts_by_user) {
               out.number(user.number, {{"uid", user.name}});
             }
           }),
    of_tpm("tbs_quota", Type::Gauge, "The limits of tbsd.conf, in its units.", "limit",
           [](Exposition& out, const TpmReading& tpm) {
             for (const proto::LimitEntry& limit : tpm.limits) {
               out.number(limit.limit, {{"limit", limit.name}});
             }
           }),
    of_tpm("tbs_quota_used", Type::Gauge,
           "Of each limit, how much the context or user has who has most.", "limit",
           [](Exposition& out, const TpmReading& tpm) {
             for (const proto::LimitEntry& limit : tpm.limits) {
               out.number(limit.used, {{"limit", limit.name}});
             }
           }),
});

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

std::string page(const Reading& reading, Format format) {
  Exposition out(format);
  for (const Family& family : kFamilies) {
    out.begin(family.heading);
    if (family.of_process != nullptr) {
      out.set_common({}, {});
      family.of_process(out, reading);
      continue;
    }
    for (const TpmReading& tpm : reading.tpms) {
      out.set_common("tenant", tpm.tenant);
      family.of_tpm(out, tpm);
    }
  }
  return std::move(out).finish();
}

}  // namespace tbs::metrics
