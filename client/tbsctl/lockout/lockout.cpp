// Whom the daemon's guard holds back, and how near the TPM itself is to its lockout.

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/lockout/commands.h"
#include "client/tbsctl/lockout/tpm_lockout.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

struct LockoutOptions {
  bool reset = false;
  std::uint32_t uid = proto::kNobody;
};

std::string left_for_users(const TpmLockout& tpm) {
  if (users_held_back(tpm)) return "none, the last one is kept for administrators";
  return std::to_string(users_limit(tpm) - std::min(tpm.counter, users_limit(tpm)));
}

// A TPM 1.2, and one that does not answer, has nothing to say here.
std::optional<TpmLockout> ask_tpm(Conversation& daemon) {
  const proto::Buffer command = tpm_lockout_query();
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (!result || result->status != proto::Status::Success) return std::nullopt;
  return read_tpm_lockout(result->response);
}

nlohmann::ordered_json as_json(const proto::LockoutStatusReply& guard,
                               const std::optional<TpmLockout>& tpm, UserNames& users) {
  nlohmann::ordered_json json = {{"window_seconds", guard.window},
                                 {"per_user", guard.per_user},
                                 {"total", guard.total},
                                 {"users", nlohmann::ordered_json::array()},
                                 {"tpm", nullptr}};
  for (const proto::LockoutEntry& entry : guard.entries) {
    json["users"].push_back({{"uid", entry.uid},
                             {"user", users.of(entry.uid)},
                             {"failures", entry.failures},
                             {"locked", entry.locked != 0},
                             {"forgotten_in_seconds", entry.seconds}});
  }
  if (tpm) {
    json["tpm"] = {{"in_lockout", tpm->in_lockout},
                   {"counter", tpm->counter},
                   {"limit", tpm->limit},
                   {"users_limit", users_limit(*tpm)},
                   {"users_held_back", users_held_back(*tpm)},
                   {"interval_seconds", tpm->interval},
                   {"recovery_seconds", tpm->recovery}};
  }
  return json;
}

std::string seconds(std::uint32_t count) {
  return duration(std::uint64_t{count} * 1'000'000);
}

void print_for_people(std::ostream& out, const proto::LockoutStatusReply& guard,
                      const std::optional<TpmLockout>& tpm, UserNames& users) {
  if (tpm) {
    print_properties(
        out, {{"TPM's counter", std::to_string(tpm->counter) + " of " + std::to_string(tpm->limit)},
              {"Decreases by one in", seconds(tpm->interval)},
              {"Lockout authorization", "again after " + seconds(tpm->recovery)},
              {"Left for users", left_for_users(*tpm)}});
  }
  print_properties(out,
                   {{"Lockout after", std::to_string(guard.per_user) + " failures of a user, or " +
                                          std::to_string(guard.total) + " of all users, within " +
                                          seconds(guard.window)}});
  Table table({{"USER"}, {"FAILURES", Align::Right}, {"STATE"}, {"ONE FORGOTTEN IN"}});
  for (const proto::LockoutEntry& entry : guard.entries) {
    table.add({users.of(entry.uid), std::to_string(entry.failures),
               entry.locked != 0 ? Cell("locked out", Colour::Bad) : Cell("free", Colour::Good),
               seconds(entry.seconds)});
  }
  if (!guard.entries.empty()) table.print(out);
}

}  // namespace

Outcome run_lockout(Conversation& daemon, const Console& console) {
  const auto tpm = ask_tpm(daemon);
  const auto guard = daemon.ask(proto::LockoutStatus{});
  if (!guard) return std::unexpected(guard.error());
  if (guard->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot ask the lockout guard", guard->status));
  }
  UserNames users;
  learn_tenants(daemon, guard->entries, users);
  if (console.json) {
    print_json(console.out, as_json(*guard, tpm, users));
  } else {
    print_for_people(console.out, *guard, tpm, users);
  }
  return {};
}

Outcome run_lockout_reset(Conversation& daemon, const Console& console, std::uint32_t uid) {
  const auto reply = daemon.ask(proto::LockoutReset{.uid = uid});
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot reset the lockout guard", reply->status));
  }
  if (console.json) {
    nlohmann::ordered_json json = {{"reset", true}, {"uid", nullptr}};
    if (uid != proto::kNobody) json["uid"] = uid;
    print_json(console.out, json);
  } else {
    console.notes << "forgotten: the failed authorizations of "
                  << (uid == proto::kNobody ? "all users" : "uid " + std::to_string(uid)) << '\n';
  }
  return {};
}

Subcommand lockout_subcommand() {
  const auto options = std::make_shared<LockoutOptions>();
  return {
      .name = "lockout",
      .summary = "Show who is locked out, and the TPM's own counter",
      .help =
          "Users with too many failed authorizations are locked out until their failures "
          "are\nforgotten, at the latest when the TPM's counter is back at 0. No user gets it to "
          "the TPM's\nlimit. An administrator sees all users, others themselves.\n\n"
          "--reset is for administrators. It does not reset the TPM's own counter; that "
          "takes\nthe lockout authorization: tpm2_dictionarylockout --clear-lockout.\n\nExample:\n"
          "  tbsctl lockout --reset --uid alice",
      .options = {{.name = "--reset",
                   .about = "Forget the failed authorizations of all users, or of the one "
                            "given by --uid",
                   .read = set(field(options, &LockoutOptions::reset))},
                  {.name = "--uid",
                   .value = "USER",
                   .about = "Only of this user: a number or a name",
                   .read = read_user(field(options, &LockoutOptions::uid)),
                   .with = "--reset",
                   .offer = {Offer::Kind::Users}}},
      .needs = [options] { return options->reset ? kObserver : kContext; },
      .run =
          [options](const Environment& environment) {
            Conversation& daemon = *environment.daemon;
            if (!options->reset) return run_lockout(daemon, environment.console);
            return run_lockout_reset(daemon, environment.console, options->uid);
          }};
}

}  // namespace tbs::ctl
