#include "daemon/config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <grp.h>

#include <CLI/CLI.hpp>

#include "daemon/config_lines.h"
#include "daemon/policy/rule_files.h"
#include "version.h"

namespace tbs {
namespace {

constexpr const char* kDefaultFile = "/etc/tbs/tbsd.conf";

void add_machine_options(CLI::App& app, Config& config) {
  app.add_option("--state-dir", config.state_dir,
                 "Folder of what the daemon keeps; its owner-auth holds authorization values");
  app.add_option("--event-log", config.event_log,
                 "The firmware's event log: auto (beside the device), none, or a file");
  app.add_option("--ppi", config.ppi,
                 "The physical presence interface: auto (beside the device), none, or a folder");
  app.add_option("--log-readers", config.log_readers,
                 "Who may read the event log: administrators or everyone")
      ->check(CLI::IsMember({"administrators", "everyone"}));
  app.add_option("--raw-contexts", config.raw_contexts,
                 "Whether administrators may have the TPM to themselves, without virtual handles: "
                 "yes or no")
      ->check(CLI::IsMember({"yes", "no"}));
}

void add_options(CLI::App& app, Config& config, bool& print) {
  app.set_version_flag("--version", std::string("tbsd ") + kVersion);
  app.set_config("--config", kDefaultFile, "Configuration file");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--device", config.device,
                 "The TPM: /dev/tpm0, auto, embedded[:DIR], embedded12[:DIR], swtpm:path=P or "
                 "swtpm:host=H,port=N");
  app.add_option("--socket", config.socket, "Where clients connect");
  app.add_option("--log-level", config.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_option("--admin-group", config.admin_group,
                 "Members of this group are administrators, as user 0 is");
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    app.add_option("--" + std::string(rule.name), config.limits.*rule.value,
                   std::string(rule.about))
        ->check(CLI::Range(rule.lowest, rule.highest));
  }
  app.add_option("--policy-dir", config.policy_dir, "Folder of the rules: its files NAME.conf");
  app.add_option("--lockout-window", config.lockout_window,
                 "Minutes for which a failed authorization counts")
      ->check(CLI::Range(1U, 100000U));
  app.add_option("--lockout-per-user", config.lockout_per_user,
                 "Failed authorizations after which a user is locked out")
      ->check(CLI::Range(1U, 1000000U));
  app.add_option("--lockout-total", config.lockout_total,
                 "Failed authorizations of all users after which those who failed are locked out")
      ->check(CLI::Range(1U, 1000000U));
  app.add_option(
      "--keep-saved-sessions", config.keep_saved_sessions,
      "EarlyExit saved sessions alone that are on the TPM when tbsd starts; otherwise they "
      "are taken for leftovers and flushed");
  app.add_option(
         "--share", config.share,
         "When the TPM's slots are left to the kernel's own users: idle, strict (after each "
         "command) or exclusive (never)")
      ->check(CLI::IsMember({"idle", "strict", "exclusive"}));
  app.add_option(
         "--busy-poll", config.busy_poll,
         "Microseconds to look for work before sleeping, while waits are that short; 0: none")
      ->check(CLI::Range(0U, 1000U));
#ifndef NDEBUG
  app.add_flag("--check-tables", config.check_tables)->configurable(false)->group("");
#endif
  app.add_option("--high-share", config.high_share,
                 "Percent of the TPM's time for which one user, administrators excepted, has "
                 "priorities above NORMAL; 100: always")
      ->check(CLI::Range(0U, 100U));
  app.add_option("--seccomp", config.seccomp,
                 "Whether tbsd gives up the system calls that it does not make: yes or no")
      ->check(CLI::IsMember({"yes", "no"}));
  add_machine_options(app, config);
  app.add_flag("--print-config", print, "Show what is in force and from where, and exit")
      ->configurable(false);
}

bool on_command_line(const std::vector<std::string>& arguments, const std::string& name) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return argument == name || argument.starts_with(name + "=");
  });
}

std::vector<Setting> settings_of(const CLI::App& app, const std::vector<std::string>& arguments) {
  const std::string file = app.get_config_ptr()->as<std::string>();
  std::vector<Setting> settings;
  std::vector<std::string> names = {
      "--device",        "--socket",    "--log-level",      "--admin-group",
      "--share",         "--busy-poll", "--high-share",     "--keep-saved-sessions",
      "--event-log",     "--ppi",       "--log-readers",    "--raw-contexts",
      "--policy-dir",    "--state-dir", "--lockout-window", "--lockout-per-user",
      "--lockout-total", "--seccomp"};
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    names.push_back("--" + std::string(rule.name));
  }
  for (const std::string& name : names) {
    const CLI::Option* const option = app.get_option(name);
    std::string origin = "default";
    if (on_command_line(arguments, name)) {
      origin = "command line";
    } else if (option->count() > 0) {
      origin = file;
    }
    const std::string value =
        option->count() > 0 ? option->results().back() : option->get_default_str();
    settings.push_back({.name = name.substr(2), .value = value, .origin = origin});
  }
  return settings;
}

std::string print(const std::vector<Setting>& settings) {
  std::ostringstream text;
  for (const Setting& setting : settings) {
    text << setting.name << " = " << (setting.value.empty() ? "\"\"" : setting.value) << "  # "
         << setting.origin << '\n';
  }
  return text.str();
}

std::expected<void, EarlyExit> resolve_group(Config& config) {
  if (config.admin_group.empty()) return {};
  const group* const entry = getgrnam(config.admin_group.c_str());
  if (entry == nullptr) {
    return std::unexpected(
        EarlyExit{1, "tbsd: admin-group: there is no group '" + config.admin_group + "'\n"});
  }
  config.admin_gid = entry->gr_gid;
  return {};
}

// What to say about options that cannot be used, with the line when it is the file's fault.
EarlyExit early_exit_for(const CLI::App& app, const CLI::ParseError& error,
                         const std::vector<std::string>& arguments) {
  const CLI::Option* const option = app.get_config_ptr();
  const std::string path = option->count() > 0 ? option->results().back() : kDefaultFile;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const ConfigLine line = find_config_line(text, error.what(), arguments);
  if (error.get_exit_code() != 0 && line.number != 0) {
    const bool unknown = app.get_option_no_throw("--" + line.name) == nullptr;
    return {2, "tbsd: " + path + ":" + std::to_string(line.number) + ": " +
                   (unknown ? "there is no option '" + line.name + "'" : error.what()) + "\n"};
  }
  std::ostringstream out;
  std::ostringstream err;
  const int code = app.exit(error, out, err);
  return {code == 0 ? 0 : 2, out.str() + err.str()};
}

}  // namespace

std::expected<Loaded, EarlyExit> load_config(const std::vector<std::string>& arguments) {
  Loaded loaded;
  bool print_only = false;
  CLI::App app("TPM Base Services daemon: owns a TPM and shares it between programs", "tbsd");
  app.option_defaults()->always_capture_default();
  add_options(app, loaded.config, print_only);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(early_exit_for(app, error, arguments));
  }
  loaded.settings = settings_of(app, arguments);
  if (print_only) return std::unexpected(EarlyExit{0, print(loaded.settings)});
  if (const auto resolved = resolve_group(loaded.config); !resolved) {
    return std::unexpected(resolved.error());
  }
  loaded.rules = policy::read_rules(loaded.config.policy_dir);
  return loaded;
}

}  // namespace tbs
