#include "client/tbsctl/doctor/client_check.h"

#include <algorithm>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/tpm/command_name.h"
#include "proto/limits.h"

namespace tbs::ctl {
namespace {

// A signature takes 1.3 s at most on the slowest chip known, and a key of RSA 19 s in the median.
constexpr std::uint64_t kLongRun = 30'000'000;
constexpr std::uint32_t kDetachedState = 2;
// Of which the daemon reads nothing more until its answers are read.
constexpr std::uint64_t kPausedBytes = std::uint64_t{256} * 1024;
constexpr std::string_view kOrphans = "orphans-per-user";
constexpr std::string_view kOrphanLifetime = "orphan-lifetime";

Finding client_finding(Severity severity, std::string what, std::string why = {},
                       std::string remedy = {}) {
  return {severity, "clients", std::move(what), std::move(why), std::move(remedy)};
}

Finding leftover_finding(Severity severity, std::string what, std::string why = {},
                         std::string remedy = {}) {
  return {severity, "leftovers", std::move(what), std::move(why), std::move(remedy)};
}

std::string named_client(const ContextFact& context) {
  return printable(context.entry.program) + " (pid " + std::to_string(context.entry.pid) +
         ", user " + context.user + ", context " + std::to_string(context.entry.context) + ")";
}

std::string cancel_advice(const ContextFact& context) {
  return "`tbsctl cancel " + std::to_string(context.entry.context) +
         "` cancels what it has "
         "outstanding";
}

void check_client(Findings& findings, const ContextFact& context) {
  const proto::ContextEntry& entry = context.entry;
  const std::string who = named_client(context);
  if (entry.running == kDetachedState) {
    findings.push_back(client_finding(Severity::Note,
                                      who + " has cancelled " + command_name(entry.command) +
                                          ", which the TPM has not ended " + "after " +
                                          duration(entry.running_us),
                                      "everybody waits until it has"));
  } else if (entry.running != 0 && entry.running_us >= kLongRun) {
    findings.push_back(client_finding(Severity::Warning,
                                      who + " has kept the TPM with " +
                                          command_name(entry.command) + " for " +
                                          duration(entry.running_us),
                                      "everybody waits until it ends", cancel_advice(context)));
  }
  if (entry.queued_bytes > kPausedBytes) {
    findings.push_back(client_finding(
        Severity::Warning,
        who + " does not read its answers: " + std::to_string(entry.queued_bytes / 1024) +
            " KiB wait",
        "tbsd keeps them in memory, and reads nothing more from it", "end or mend that program"));
  }
  if (entry.queued >= proto::kWindow) {
    findings.push_back(client_finding(
        Severity::Note, who + " has " + std::to_string(entry.queued) + " commands waiting",
        "more than a client with the library has; tbsd shares the TPM fairly all the same",
        cancel_advice(context)));
  }
}

void check_limit(Findings& findings, const LimitFact& limit) {
  const proto::LimitEntry& entry = limit.entry;
  if (entry.limit == 0 || entry.name == kOrphanLifetime || entry.used * 10 < entry.limit * 9)
    return;
  const std::string whose = limit.user.empty() ? "" : " by " + limit.user;
  findings.push_back(client_finding(Severity::Warning,
                                    printable(entry.name) + ": " + std::to_string(entry.used) +
                                        " of " + std::to_string(entry.limit) + " are used" + whose,
                                    "what comes on top is refused",
                                    "`tbsctl contexts` shows who holds what; " +
                                        printable(entry.name) + " in tbsd.conf raises the limit"));
}

}  // namespace

Findings check_clients(const ClientFacts& facts) {
  if (!facts.unseen.empty()) return {client_finding(Severity::Unseen, printable(facts.unseen))};
  Findings findings;
  for (const ContextFact& context : facts.contexts) check_client(findings, context);
  for (const LimitFact& limit : facts.limits) check_limit(findings, limit);
  if (findings.empty()) {
    findings.push_back(client_finding(Severity::Fine, std::to_string(facts.contexts.size()) +
                                                          " contexts are open, all in order"));
  }
  return findings;
}

Findings check_leftovers(const ClientFacts& facts) {
  if (!facts.unseen.empty()) return {leftover_finding(Severity::Unseen, printable(facts.unseen))};
  const auto entry_of = [&](std::string_view name) {
    return std::ranges::find(facts.limits, name,
                             [](const LimitFact& limit) { return limit.entry.name; });
  };
  const auto orphans = entry_of(kOrphans);
  const auto lifetime = entry_of(kOrphanLifetime);
  if (orphans == facts.limits.end() || orphans->entry.used == 0) {
    return {leftover_finding(Severity::Fine, "no session was left behind")};
  }
  const std::string kept =
      lifetime == facts.limits.end()
          ? ""
          : "; each is kept for " + duration(lifetime->entry.limit * 1'000'000);
  return {leftover_finding(
      Severity::Note,
      std::to_string(orphans->entry.used) + " saved sessions of " + orphans->user +
          " are kept, whose contexts have closed",
      "the TPM has 64 sessions for everybody; a program that saves one and ends without loading it "
      "again leaves it behind" +
          kept,
      "flush sessions before the program ends (tpm2_flushcontext); orphan-lifetime in tbsd.conf "
      "shortens the time")};
}

}  // namespace tbs::ctl
