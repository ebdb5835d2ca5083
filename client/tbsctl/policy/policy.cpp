// What the rules in a folder say, without asking a daemon: rules can be tried before they are used.

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/policy/commands.h"
#include "client/tbsctl/text/colour.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/input_file.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/tpm/command_name.h"
#include "proto/rules/conditions.h"
#include "proto/rules/rule_files.h"
#include "proto/terminal_text.h"
#include "proto/tpm/constants.h"

namespace tbs::ctl {
namespace {

// What `tbsctl policy` is asked.
struct PolicyOptions {
  std::string folder;  // empty: the daemon's
  std::string user;    // name or number
  std::uint32_t uid = 0;
  std::uint32_t command = 0;
  std::vector<std::uint32_t> gids;
  std::string unit;
  std::string cgroup;
  std::string tenant;
  bool administrator = false;          // as a member of the administrators' group
  std::vector<std::uint32_t> handles;  // that the command names
  std::optional<rules::Owner> owner;   // who made what it removes or changes
  std::uint32_t priority = kPriorityNormal;
  std::uint32_t locality = 0;
};

std::unexpected<Failure> failure(std::string message) {
  return std::unexpected(Failure{.exit = Exit::Failed, .message = std::move(message)});
}

const std::string& folder_of(const PolicyOptions& options) {
  static const std::string kFolder = rules::kRuleFolder;
  return options.folder.empty() ? kFolder : options.folder;
}

// The daemon's folder may be missing, and has no rules then; one that was named may not.
std::expected<rules::Rules, Failure> read_rules(const PolicyOptions& options) {
  if (!options.folder.empty()) {
    if (auto there = check_folder(options.folder); !there) return std::unexpected(there.error());
  }
  auto rules = rules::read_rules(folder_of(options));
  if (!rules) return failure(rules.error());
  return *std::move(rules);
}

rules::CommandFacts facts_of(const PolicyOptions& options, const rules::Rules& rules) {
  rules::Subject subject{.uid = options.uid,
                         .gids = options.gids,
                         .unit = options.unit,
                         .cgroup = options.cgroup,
                         .tenant = options.tenant,
                         .administrator = options.uid == 0 || options.administrator};
  std::ranges::copy(groups_of(options.user), std::back_inserter(subject.gids));
  rules::CommandFacts facts{.roles = rules::roles_of(rules, subject),
                            .command = options.command,
                            .priority = options.priority,
                            .locality = options.locality,
                            .handles = options.handles,
                            .owner = options.owner};
  for (const std::uint32_t handle : options.handles) {
    const tpm::HandleType type = tpm::handle_type(handle);
    if (type == tpm::HandleType::NvIndex) facts.nv_indices.push_back(handle);
    if (type == tpm::HandleType::Persistent) facts.persistent_handles.push_back(handle);
    if (type == tpm::HandleType::Pcr) facts.pcrs.push_back(handle);
  }
  return facts;
}

std::vector<std::string> role_names(const rules::Rules& rules, rules::RoleSet roles) {
  std::vector<std::string> names;
  for (std::size_t role = 0; role < rules.roles.size(); ++role) {
    if ((roles & rules::role_bit(role)) != 0) names.push_back(rules.roles[role].name);
  }
  return names;
}

std::vector<std::string> texts_of(const std::vector<const rules::Rule*>& list) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const rules::Rule* const rule : list) {
    texts.push_back(rule->text + " (" + rule->origin + ")");
  }
  return texts;
}

// What decided, and what else could.
struct Explanation {
  const rules::Rules& rules;
  rules::CommandFacts facts;
  rules::Match match = rules::evaluate(rules, facts);
  std::vector<std::string> conditions = match.rule == nullptr
                                            ? std::vector<std::string>()
                                            : rules::reasons(rules, *match.rule, facts);
  std::vector<std::string> others = texts_of(rules::near_misses(rules, facts));
};

bool is_ignored(const Explanation& why) {
  return why.match.rule != nullptr && why.match.rule->ignore;
}

std::string_view decision_text(const Explanation& why) {
  if (why.match.allowed) return "allowed";
  return is_ignored(why) ? "ignored, tbsd answers it" : "blocked";
}

void print_as_json(std::ostream& out, const Explanation& why) {
  const rules::Rule* const rule = why.match.rule;
  print_json(out, nlohmann::ordered_json{{"allowed", why.match.allowed},
                                         {"ignored", is_ignored(why)},
                                         {"rule", rule == nullptr ? "" : rule->origin},
                                         {"statement", rule == nullptr ? "" : rule->text},
                                         {"conditions", why.conditions},
                                         {"otherwise", why.others},
                                         {"command", command_name(why.facts.command)},
                                         {"roles", role_names(why.rules, why.facts.roles)},
                                         {"dry_run", why.rules.dry_run}});
}

void print_explanation(std::ostream& out, const Explanation& why) {
  const rules::Rule* const rule = why.match.rule;
  const Colour colour = why.match.allowed || is_ignored(why) ? Colour::Good : Colour::Bad;
  out << command_name(why.facts.command) << ": " << Coloured{colour, decision_text(why)} << " ("
      << (rule == nullptr ? "no rule is about it" : printable(rule->origin)) << ")";
  if (!why.match.allowed && !is_ignored(why) && why.rules.dry_run) {
    out << "; only logged: dry-run is on";
  }
  out << "\nroles:";
  for (const std::string& role : role_names(why.rules, why.facts.roles)) {
    out << ' ' << printable(role);
  }
  if (rule != nullptr) {
    out << "\nrule: " << printable(rule->text) << "\ndecided by:";
    const char* separator = " ";
    for (const std::string& condition : why.conditions) {
      out << std::exchange(separator, ", ") << printable(condition);
    }
  }
  for (const std::string& text : why.others) {
    out << "\nwith another handle or owner: " << printable(text);
  }
  out << '\n';
}

Outcome run_check(const Console& console, const PolicyOptions& options) {
  const auto rules = read_rules(options);
  if (!rules) return std::unexpected(rules.error());
  const std::string& folder = folder_of(options);
  if (console.json) {
    print_json(console.out, nlohmann::ordered_json{{"folder", folder},
                                                   {"rules", rules->rules.size()},
                                                   {"profile", rules->profile},
                                                   {"dry_run", rules->dry_run}});
  } else {
    console.out << proto::terminal_text(folder) << ": " << rules->rules.size()
                << " rules with those of profile " << rules->profile
                << (rules->dry_run ? ", dry-run" : "") << '\n';
  }
  return {};
}

Outcome run_explain(const Console& console, const PolicyOptions& options) {
  const auto rules = read_rules(options);
  if (!rules) return std::unexpected(rules.error());
  const Explanation why{.rules = *rules, .facts = facts_of(options, *rules)};
  if (console.json) {
    print_as_json(console.out, why);
  } else {
    print_explanation(console.out, why);
  }
  if (!why.match.allowed && !is_ignored(why)) return failure("the command would be blocked");
  return {};
}

using Shared = std::shared_ptr<PolicyOptions>;

Reader read_folder(const Shared& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    if (text.empty()) return std::unexpected("the name of a folder is missing");
    options->folder = text;
    return {};
  };
}

// A name brings the user's groups.
Reader read_subject(const Shared& options) {
  return [options, read = read_user(field(options, &PolicyOptions::uid))](
             const std::string& text) -> std::expected<void, std::string> {
    options->user = text;
    return read(text);
  };
}

Reader read_command(const Shared& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    const auto code = parse_command_code(text);
    if (!code) return std::unexpected("'" + text + "' is no TPM command");
    options->command = *code;
    return {};
  };
}

Reader read_hierarchy(const Shared& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    const auto hierarchy = rules::hierarchy_named(text);
    if (!hierarchy) {
      return std::unexpected("'" + text +
                             "' is none of: owner, endorsement, platform, lockout, null");
    }
    options->handles.push_back(rules::handle_of(*hierarchy));
    return {};
  };
}

Reader read_owner(const Shared& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    if (text != "self" && text != "other") return std::unexpected("OWNER is self or other");
    options->owner = text == "self" ? rules::Owner::Self : rules::Owner::Other;
    return {};
  };
}

Option folder_option(const Shared& options) {
  return {.name = "--dir",
          .value = "PATH",
          .about = "Folder of the rules (default: " + std::string(rules::kRuleFolder) + ")",
          .read = read_folder(options),
          .offer = {Offer::Kind::Folders}};
}

std::vector<Option> explain_options(const Shared& options) {
  return {
      folder_option(options),
      {.name = "USER",
       .about = "Name or number of the user; a name brings the user's groups",
       .read = read_subject(options),
       .required = true,
       .offer = {Offer::Kind::Users}},
      {.name = "COMMAND",
       .about = "Name or number of the TPM command",
       .read = read_command(options),
       .required = true},
      {.name = "--gid",
       .value = "GROUP",
       .about = "A group of the user, name or number",
       .read = read_groups(field(options, &PolicyOptions::gids)),
       .repeated = true,
       .offer = {Offer::Kind::Groups}},
      {.name = "--unit",
       .value = "NAME",
       .about = "systemd unit of the client",
       .read = read_text(field(options, &PolicyOptions::unit))},
      {.name = "--cgroup",
       .value = "PATH",
       .about = "Control group of the client",
       .read = read_text(field(options, &PolicyOptions::cgroup)),
       .offer = {Offer::Kind::Folders}},
      {.name = "--tenant",
       .value = "NAME",
       .about = "Tenant of the client's socket",
       .read = read_text(field(options, &PolicyOptions::tenant))},
      {.name = "--admin",
       .about = "A member of the administrators' group",
       .read = set(field(options, &PolicyOptions::administrator))},
      {.name = "--handle",
       .value = "HANDLE",
       .about = "NV index, persistent handle or PCR that the command names",
       .read = read_numbers(field(options, &PolicyOptions::handles)),
       .repeated = true},
      {.name = "--hierarchy",
       .value = "NAME",
       .about = "Hierarchy that it names: owner, endorsement, platform, lockout, null",
       .read = read_hierarchy(options),
       .repeated = true,
       .offer = {Offer::Kind::Words, {"owner", "endorsement", "platform", "lockout", "null"}}},
      {.name = "--owner",
       .value = "OWNER",
       .about = "Who made what it removes or changes: self or other",
       .read = read_owner(options),
       .offer = {Offer::Kind::Words, {"self", "other"}}},
      priority_option(field(options, &PolicyOptions::priority)),
      locality_option(field(options, &PolicyOptions::locality)),
  };
}

Subcommand check_subcommand(const Shared& options) {
  return {.name = "check",
          .summary = "Read the rules and say what is wrong with them",
          .help =
              "The first thing that is wrong is told with its file and line; tbs-rules(5) says "
              "how rules\nare written.\n\nExample:\n  tbsctl policy check --dir ./policy.d",
          .options = {folder_option(options)},
          .needs = always(kNoDaemon),
          .run = [options](const Environment& environment) {
            return run_check(environment.console, *options);
          }};
}

Subcommand explain_subcommand(const Shared& options) {
  return {.name = "explain",
          .summary = "Say what a user may do, and why",
          .help =
              "Exit codes: 0 allowed or ignored, 1 blocked.\n\nExamples:\n"
              "  tbsctl policy explain alice TPM2_Clear\n"
              "  tbsctl policy explain 1000 NV_Read --handle 0x1500010 --unit backup.service\n"
              "  tbsctl policy explain alice PCR_Extend --handle 7\n"
              "  tbsctl policy explain alice PolicySecret --hierarchy lockout",
          .options = explain_options(options),
          .needs = always(kNoDaemon),
          .run = [options](const Environment& environment) {
            return run_explain(environment.console, *options);
          }};
}

}  // namespace

Subcommand policy_subcommand() {
  const auto options = std::make_shared<PolicyOptions>();
  return {.name = "policy",
          .summary = "Check and explain rules",
          .help =
              "No daemon is asked: rules can be tried before they are used.\n\nExample:\n  tbsctl "
              "policy --dir "
              "./policy.d explain alice TPM2_Clear",
          .options = {folder_option(options)},
          .page = true,
          .parts = {check_subcommand(options), explain_subcommand(options)}};
}

}  // namespace tbs::ctl
