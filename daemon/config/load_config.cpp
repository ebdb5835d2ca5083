#include "daemon/config/load_config.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include <grp.h>

#include <CLI/CLI.hpp>

#include "daemon/build_features.h"
#include "daemon/config/config_lines.h"
#include "daemon/config/option_table.h"
#include "daemon/config/state_folders.h"
#include "daemon/config/tenant_files.h"
#include "proto/rules/rule_files.h"
#include "version.h"

namespace tbs {
namespace {

constexpr const char* kDefaultFile = "/etc/tbs/tbsd.conf";

// What is to be done other than running.
struct Mode {
  bool print = false;
  bool check = false;
};

void add_options(CLI::App& app, Config& config, Mode& mode) {
  app.set_version_flag("--version", std::string("tbsd ") + kVersion + "\nfeatures: " + kFeatures);
  app.set_config("--config", kDefaultFile, "Configuration file");
  app.allow_config_extras(CLI::config_extras_mode::error);
  for (const config::Option& option : config::options()) {
    const std::string name = "--" + option.name;
    const auto take = [&config, &option, name](const std::string& text) {
      if (const auto taken = config::set(config, option, text); !taken) {
        throw CLI::ValidationError(name, taken.error());
      }
    };
    app.add_option_function<std::string>(name, take, option.about)
        ->type_name(option.form)
        ->default_str(config::text_of(config, option));
  }
#ifndef NDEBUG
  app.add_flag("--check-tables", config.check_tables)->configurable(false)->group("");
#endif
  app.add_flag("--print-config", mode.print, "Show what is in force and from where, and exit")
      ->configurable(false);
  app.add_flag("--check", mode.check,
               "Say whether the configuration and the rules can be used, and exit")
      ->configurable(false);
}

bool on_command_line(const std::vector<std::string>& arguments, const std::string& name) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return argument == name || argument.starts_with(name + "=");
  });
}

std::vector<Setting> settings_of(const CLI::App& app, const Config& config,
                                 const std::vector<std::string>& arguments) {
  const std::string file = app.get_config_ptr()->as<std::string>();
  std::vector<Setting> settings;
  for (const config::Option& option : config::options()) {
    const std::string name = "--" + option.name;
    std::string origin = "default";
    if (on_command_line(arguments, name)) {
      origin = "command line";
    } else if (app.get_option(name)->count() > 0) {
      origin = file;
    }
    settings.push_back(
        {.name = option.name, .value = config::text_of(config, option), .origin = origin});
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

// A group may come from a network that is not there yet, so to start again can be of use.
std::expected<void, EarlyExit> resolve_group(const char* option, const std::string& name,
                                             gid_t& number) {
  if (name.empty()) return {};
  const group* const entry = getgrnam(name.c_str());
  if (entry == nullptr) {
    return std::unexpected(
        EarlyExit{1, "tbsd: " + std::string(option) + ": there is no group '" + name + "'\n"});
  }
  number = entry->gr_gid;
  return {};
}

std::expected<void, EarlyExit> resolve_groups(Config& config) {
  if (auto found = resolve_group("admin-group", config.admin_group, config.admin_gid); !found) {
    return found;
  }
  return resolve_group("metrics-group", config.metrics_group, config.metrics_gid);
}

std::string file_of(const CLI::App& app) {
  const CLI::Option* const option = app.get_config_ptr();
  return option->count() > 0 ? option->results().back() : kDefaultFile;
}

// What to say about options that cannot be used, with the line when it is the file's fault.
EarlyExit early_exit_for(const CLI::App& app, const CLI::ParseError& error,
                         const std::vector<std::string>& arguments) {
  const std::string path = file_of(app);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const ConfigLine line = find_config_line(text, error.what(), arguments);
  if (error.get_exit_code() != 0 && line.number != 0) {
    const bool unknown = app.get_option_no_throw("--" + line.name) == nullptr;
    return {kExitBadConfiguration,
            "tbsd: " + path + ":" + std::to_string(line.number) + ": " +
                (unknown ? "there is no option '" + line.name + "'" : error.what()) + "\n"};
  }
  std::ostringstream out;
  std::ostringstream err;
  const int code = app.exit(error, out, err);
  return {code == 0 ? 0 : kExitBadConfiguration, out.str() + err.str()};
}

// What --check says when the settings and the rules can be used.
EarlyExit verdict(const Config& config, const std::string& file) {
  std::string text;
  bool wrong = false;
  for (const config::FolderFinding& finding : config::find_unusable_folders(config)) {
    text += "tbsd: " + finding.text + "\n";
    wrong = wrong || finding.wrong;
  }
  if (wrong) return {kExitBadConfiguration, text};
  return {0, text + "tbsd: " + file + ", the rules in " + config.policy_dir +
                 " and the tenants in " + config.tenants_dir + " can be used\n"};
}

}  // namespace

std::expected<Loaded, EarlyExit> load_config(const std::vector<std::string>& arguments) {
  Loaded loaded;
  Mode mode;
  CLI::App app("TPM Base Services daemon: owns a TPM and shares it between programs", "tbsd");
  app.option_defaults()->always_capture_default();
  add_options(app, loaded.config, mode);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(early_exit_for(app, error, arguments));
  }
  loaded.settings = settings_of(app, loaded.config, arguments);
  if (mode.print) return std::unexpected(EarlyExit{0, print(loaded.settings)});
  if (const auto resolved = resolve_groups(loaded.config); !resolved) {
    return std::unexpected(resolved.error());
  }
  auto rules = rules::read_rules(loaded.config.policy_dir);
  if (!rules) {
    return std::unexpected(EarlyExit{kExitBadConfiguration, "tbsd: " + rules.error() + "\n"});
  }
  loaded.rules = *std::move(rules);
  auto tenants = read_tenants(loaded.config, loaded.rules);
  if (!tenants) {
    return std::unexpected(EarlyExit{kExitBadConfiguration, "tbsd: " + tenants.error() + "\n"});
  }
  loaded.config.tenants = *std::move(tenants);
  if (mode.check) return std::unexpected(verdict(loaded.config, file_of(app)));
  return loaded;
}

}  // namespace tbs
