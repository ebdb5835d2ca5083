// What the rules in a folder say, without asking a daemon: rules can be tried before they are used.

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/command_line/options.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/tpm/command_name.h"
#include "daemon/policy/rule_files.h"
#include "proto/command_names.h"

namespace tbs::ctl {
namespace {

std::unexpected<Failure> failure(Exit exit, std::string message) {
  return std::unexpected(Failure{.exit = exit, .message = std::move(message)});
}

std::expected<policy::CommandFacts, Failure> facts_of(const Options& options,
                                                      const policy::Rules& rules) {
  const PolicyQuestion& asked = options.question;
  const auto named = proto::command_code(asked.command);
  const auto code = policy::parse_ranges(asked.command, true);
  if (!named && (!code || code->size() != 1 || code->front().first != code->front().last)) {
    return failure(Exit::Usage, "'" + printable(asked.command) + "' is no TPM command");
  }
  const policy::Subject subject{.uid = options.uid,
                                .gids = asked.gids,
                                .unit = asked.unit,
                                .cgroup = asked.cgroup,
                                .administrator = options.uid == 0 || asked.administrator};
  policy::CommandFacts question{.roles = policy::roles_of(rules, subject),
                                .command = named ? *named : code->front().first,
                                .priority = options.priority,
                                .locality = options.locality};
  for (const std::uint32_t handle : asked.handles) {
    if (handle >> 24 == 0x01) question.nv_indices.push_back(handle);
    if (handle >> 24 == 0x81) question.persistent_handles.push_back(handle);
    if (handle >> 24 == 0x00) question.pcrs.push_back(handle);
  }
  return question;
}

std::vector<std::string> role_names(const policy::Rules& rules, policy::RoleSet roles) {
  std::vector<std::string> names;
  for (std::size_t role = 0; role < rules.roles.size(); ++role) {
    if ((roles & policy::role_bit(role)) != 0) names.push_back(rules.roles[role].name);
  }
  return names;
}

void print_verdict(const Console& console, const policy::Rules& rules,
                   const policy::CommandFacts& question, const policy::Verdict& verdict) {
  const std::string why = verdict.rule == nullptr ? "no rule is about it" : verdict.rule->origin;
  const auto roles = role_names(rules, question.roles);
  if (console.json) {
    print_json(console.out, nlohmann::ordered_json{{"allowed", verdict.allowed},
                                                   {"rule", verdict.rule == nullptr ? "" : why},
                                                   {"command", command_name(question.command)},
                                                   {"roles", roles},
                                                   {"dry_run", rules.dry_run}});
    return;
  }
  console.out << command_name(question.command) << (verdict.allowed ? ": allowed (" : ": blocked (")
              << printable(why) << ")";
  if (!verdict.allowed && rules.dry_run) console.out << "; only logged: dry-run is on";
  console.out << "\nroles:";
  for (const std::string& role : roles) console.out << ' ' << printable(role);
  console.out << '\n';
}

}  // namespace

Outcome run_policy_check(const Console& console, const std::string& folder) {
  const auto rules = policy::read_rules(folder);
  if (!rules) return failure(Exit::Failed, printable(rules.error()));
  if (console.json) {
    print_json(console.out, nlohmann::ordered_json{{"folder", folder},
                                                   {"rules", rules->rules.size()},
                                                   {"profile", rules->profile},
                                                   {"dry_run", rules->dry_run}});
  } else {
    console.out << printable(folder) << ": " << rules->rules.size()
                << " rules with those of profile " << rules->profile
                << (rules->dry_run ? ", dry-run" : "") << '\n';
  }
  return {};
}

Outcome run_policy_explain(const Console& console, const Options& options) {
  const auto rules = policy::read_rules(options.question.folder);
  if (!rules) return failure(Exit::Failed, printable(rules.error()));
  const auto question = facts_of(options, *rules);
  if (!question) return std::unexpected(question.error());
  const policy::Verdict verdict = policy::evaluate(*rules, *question);
  print_verdict(console, *rules, *question, verdict);
  if (!verdict.allowed) return failure(Exit::Failed, "the command would be blocked");
  return {};
}

}  // namespace tbs::ctl
