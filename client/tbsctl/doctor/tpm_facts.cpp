#include "client/tbsctl/doctor/tpm_facts.h"

#include <algorithm>

#include "client/tbsctl/contexts/context_pages.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/log/daemon_log.h"
#include "client/tbsctl/log/report.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

using client::Clock;

constexpr std::chrono::seconds kHealthTime{3};
constexpr std::chrono::seconds kTalkTime{10};
constexpr std::chrono::seconds kPcrTime{20};
// From this one on the kernel and systemd extend PCRs as well.
constexpr std::uint32_t kFirstShared = 10;

std::expected<Conversation, Failure> doctors_talk(const Connector& connect, proto::Role role) {
  const auto deadline = Clock::now() + kTalkTime;
  auto stream = connect(deadline);
  if (!stream) return std::unexpected(std::move(stream.error()));
  Conversation daemon(*std::move(stream));
  const auto hello = daemon.handshake(role, proto::kWantTpm12 | proto::kWantTpm20, deadline);
  if (!hello) return std::unexpected(hello.error());
  daemon.give_tpm_until(Clock::now() + kPcrTime);
  return daemon;
}

void ask_lockout(TpmFacts& facts, Conversation& daemon, UserNames& users) {
  const auto guard = daemon.ask(proto::LockoutStatus{});
  if (!guard) {
    facts.lockout_unseen = guard.error().message;
    return;
  }
  learn_tenants(daemon, guard->entries, users);
  for (const proto::LockoutEntry& entry : guard->entries) {
    if (entry.locked == 0) continue;
    facts.locked.push_back({users.of(entry.uid), entry.failures, entry.seconds});
  }
}

void ask_clients(ClientFacts& facts, const std::vector<proto::LimitEntry>& limits,
                 Conversation& daemon, UserNames& users) {
  auto contexts = all_contexts(daemon);
  if (!contexts) {
    facts.unseen = contexts.error().message;
    return;
  }
  learn_tenants(daemon, *contexts, users);
  learn_tenants(daemon, limits, users);
  for (proto::ContextEntry& entry : *contexts) {
    const std::string user = users.of(entry.uid);
    facts.contexts.push_back({std::move(entry), user});
  }
  for (const proto::LimitEntry& entry : limits) {
    facts.limits.push_back({entry, entry.uid == proto::kNobody ? "" : users.of(entry.uid)});
  }
}

// The first difference among these PCRs, in words.
std::string difference_among(const LogReport& report, bool shared) {
  LogReport chosen{.log = report.log, .pcrs = report.pcrs, .compared = true};
  std::erase_if(chosen.pcrs, [shared](const Comparison& each) {
    return (each.replayed->pcr >= kFirstShared) != shared;
  });
  chosen.log.fault.clear();
  const auto outcome = verdict(chosen);
  return outcome ? "" : outcome.error().message;
}

MeasurementFacts measure(const Connector& connect) {
  MeasurementFacts facts;
  auto daemon = doctors_talk(connect, proto::Role::Context);
  if (!daemon) {
    facts.unseen = daemon.error().message;
    return facts;
  }
  const auto bytes = log_of_daemon(*daemon);
  const auto measured =
      bytes ? all_pcrs(*daemon)
            : std::expected<std::vector<PcrValue>, Failure>(std::unexpected(bytes.error()));
  if (!measured) {
    facts.unseen = measured.error().message;
    return facts;
  }
  LogReport report{.log = parse_event_log(*bytes), .pcrs = {}, .compared = true};
  const auto replayed = replay(report.log);
  report.pcrs = compare(replayed, *measured);
  facts.events = report.log.events.size();
  facts.pcrs = report.pcrs.size();
  if (!report.log.fault.empty()) facts.difference = "the event log is damaged: " + report.log.fault;
  if (facts.difference.empty()) facts.difference = difference_among(report, false);
  if (facts.difference.empty()) {
    facts.difference = difference_among(report, true);
    facts.by_right = !facts.difference.empty();
  }
  return facts;
}

}  // namespace

DaemonFacts daemon_facts(const Connector& connect) {
  DaemonFacts facts;
  facts.tpm.health = ask_health(connect, {.time = kHealthTime});
  const auto& status = facts.tpm.health.status;
  auto daemon = status ? doctors_talk(connect, proto::Role::Observer)
                       : std::expected<Conversation, Failure>(std::unexpected(Failure{
                             .exit = Exit::Unreachable, .message = "tbsd cannot be asked"}));
  if (!daemon) {
    facts.tpm.lockout_unseen = facts.clients.unseen = facts.measurements.unseen =
        daemon.error().message;
    return facts;
  }
  UserNames users;
  ask_lockout(facts.tpm, *daemon, users);
  ask_clients(facts.clients, facts.tpm.health.limits, *daemon, users);
  if (facts.tpm.health.tpm == TpmReply::Answered) {
    facts.measurements = measure(connect);
  } else {
    facts.measurements.unseen = "the TPM does not answer at the moment";
  }
  return facts;
}

}  // namespace tbs::ctl
