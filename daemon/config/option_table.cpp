#include "daemon/config/option_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "daemon/device/device_spec.h"

namespace tbs::config {
namespace {

constexpr std::array<std::string_view, 6> kLogLevels = {"trace", "debug", "info",
                                                        "warn",  "error", "off"};
constexpr std::array<std::string_view, 4> kShares = {"idle", "strict", "exclusive", "auto"};
constexpr std::array<std::string_view, 2> kLogReaders = {"administrators", "everyone"};

template <auto Member>
Choice choice(std::span<const std::string_view> names) {
  return {.names = names,
          .get = [](const Config& config) { return static_cast<std::size_t>(config.*Member); },
          .set =
              [](Config& config, std::size_t chosen) {
                using Enum = std::remove_cvref_t<decltype(config.*Member)>;
                config.*Member = static_cast<Enum>(chosen);
              }};
}

std::expected<void, std::string> check_device(const std::string& text) {
  const auto spec = device::parse_usable_device(text);
  if (!spec) return std::unexpected(spec.error());
  return {};
}

std::string joined(std::span<const std::string_view> names, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? last : ", ";
    text += names[i];
  }
  return text;
}

std::vector<Option> basic_options() {
  return {
      {"device", "SPEC",
       "The TPM: /dev/tpm0, auto, embedded[:DIR], embedded12[:DIR], swtpm:path=P or "
       "swtpm:host=H,port=N",
       Text{&Config::device, check_device}},
      {"socket", "PATH", "Where every user may connect; nobody is an administrator there",
       Text{&Config::socket}},
      {"admin-socket", "PATH",
       "Where administrators connect: auto (admin.sock beside the other), none, or a path",
       Text{&Config::admin_socket}},
      {"node-socket", "PATH",
       "Where a service for device nodes (tbs-node) connects for who opens one; empty: nowhere",
       Text{&Config::node_socket}},
      {"log-level", "LEVEL", "What is logged: " + joined(kLogLevels, " or "),
       choice<&Config::log_level>(kLogLevels)},
      {"admin-group", "NAME",
       "Members of this group may open the administrators' socket, and are administrators there",
       Text{&Config::admin_group}},
  };
}

std::vector<Option> metrics_options() {
  return {
      {"metrics-socket", "PATH", "Where metrics are read, by HTTP; empty: nowhere",
       Text{&Config::metrics_socket}},
      {"metrics-group", "NAME", "Members of this group may open the metrics' socket",
       Text{&Config::metrics_group}},
      {"metrics-users", "YES-OR-NO",
       "Whether metrics name users, by their numbers, and how many contexts each has",
       Switch{&Config::metrics_users}},
  };
}

std::vector<Option> limit_options() {
  std::vector<Option> limits;
  limits.reserve(std::size(policy::kLimitRules));
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    limits.push_back({std::string(rule.name), "N", std::string(rule.about),
                      Number{rule.value, rule.lowest, rule.highest}});
  }
  return limits;
}

std::vector<Option> policy_options() {
  return {
      {"policy-dir", "FOLDER", "Folder of the rules: its files NAME.conf",
       Text{&Config::policy_dir}},
      {"tenants-dir", "FOLDER",
       "Folder of the tenants, who have sockets of their own: its files NAME.conf",
       Text{&Config::tenants_dir}},
      {"lockout-window", "MINUTES", "Minutes for which a failed authorization counts",
       Number{&Config::lockout_window, 1, 100000}},
      {"lockout-per-user", "N", "Failed authorizations after which a user is blocked",
       Number{&Config::lockout_per_user, 1, 1000000}},
      {"lockout-total", "N",
       "Failed authorizations of all users after which users with failures are blocked",
       Number{&Config::lockout_total, 1, 1000000}},
      {"raw-contexts", "YES-OR-NO",
       "Whether administrators may use the TPM exclusively and without virtual handles",
       Switch{&Config::raw_contexts}},
      {"log-readers", "WHO", "Who may read the event log: " + joined(kLogReaders, " or "),
       choice<&Config::log_readers>(kLogReaders)},
  };
}

std::vector<Option> tpm_options() {
  return {
      {"share", "MODE",
       "When objects are evicted for the kernel's own users: idle, strict (after each command), "
       "exclusive (never) or auto (as their use asks for)",
       choice<&Config::share>(kShares)},
      {"keep-saved-sessions", "YES-OR-NO",
       "Whether tbsd keeps the saved sessions that it finds on the TPM when it starts",
       Switch{&Config::keep_saved_sessions}},
      {"embedded-keep-state", "YES-OR-NO",
       "Whether an embedded TPM with a folder keeps its memory over a stop of tbsd",
       Switch{&Config::embedded_keep_state}},
      {"keep-clients", "YES-OR-NO",
       "Whether clients and what they have on the TPM outlive a restart of tbsd, as long as the "
       "service manager keeps their sockets",
       Switch{&Config::keep_clients}},
      {"high-share", "PERCENT",
       "Percent of the TPM's time that one user, administrators excepted, may take with priorities "
       "above NORMAL; 100: no limit",
       Number{&Config::high_share, 0, 100}},
      {"swap-slice", "PERCENT",
       "For how long commands that need no key to be loaded may go before one that does, in "
       "percent of the time that loading takes; 0: strictly by turns",
       Number{&Config::swap_slice, 0, 10000}},
      {"busy-poll", "MICROSECONDS",
       "Microseconds to poll for work before sleeping, while waits are that short; 0: none",
       Number{&Config::busy_poll, 0, 1000}},
      {"seccomp", "YES-OR-NO", "Whether tbsd installs a seccomp filter", Switch{&Config::seccomp}},
  };
}

std::vector<Option> file_options() {
  return {
      {"state-dir", "FOLDER",
       "The daemon's own files; its folder owner-auth has authorization values",
       Text{&Config::state_dir}},
      {"event-log", "FILE", "The firmware's event log: auto (beside the device), none, or a file",
       Text{&Config::event_log}},
      {"ppi", "FOLDER",
       "The physical presence interface: auto (beside the device), none, or a folder",
       Text{&Config::ppi}},
  };
}

std::expected<void, std::string> set_value(Config& config, const Text& text,
                                           const std::string& given) {
  if (text.check != nullptr) {
    if (auto checked = text.check(given); !checked) return checked;
  }
  config.*text.value = given;
  return {};
}

std::expected<void, std::string> set_value(Config& config, const Switch& option,
                                           const std::string& given) {
  constexpr std::array<std::string_view, 4> kYes = {"yes", "true", "on", "1"};
  constexpr std::array<std::string_view, 4> kNo = {"no", "false", "off", "0"};
  const bool yes = std::ranges::find(kYes, given) != kYes.end();
  if (!yes && std::ranges::find(kNo, given) == kNo.end()) {
    return std::unexpected("'" + given + "' is neither yes nor no");
  }
  config.*option.value = yes;
  return {};
}

std::expected<void, std::string> set_value(Config& config, const Number& number,
                                           const std::string& given) {
  std::size_t value = 0;
  const char* const end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), end, value);
  if (error != std::errc() || stop != end || value < number.lowest || value > number.highest) {
    return std::unexpected("'" + given + "' is no number from " + std::to_string(number.lowest) +
                           " to " + std::to_string(number.highest));
  }
  if (const auto* const small = std::get_if<unsigned Config::*>(&number.value)) {
    config.** small = static_cast<unsigned>(value);
  } else {
    config.limits.*std::get<std::size_t policy::Limits::*>(number.value) = value;
  }
  return {};
}

std::expected<void, std::string> set_value(Config& config, const Choice& choice,
                                           const std::string& given) {
  const auto found = std::ranges::find(choice.names, given);
  if (found == choice.names.end()) {
    return std::unexpected("'" + given + "' is none of " + joined(choice.names, " and "));
  }
  choice.set(config, static_cast<std::size_t>(found - choice.names.begin()));
  return {};
}

std::string text_of(const Config& config, const Text& text) {
  return config.*text.value;
}

std::string text_of(const Config& config, const Switch& option) {
  return config.*option.value ? "yes" : "no";
}

std::string text_of(const Config& config, const Number& number) {
  if (const auto* const small = std::get_if<unsigned Config::*>(&number.value)) {
    return std::to_string(config.**small);
  }
  return std::to_string(config.limits.*std::get<std::size_t policy::Limits::*>(number.value));
}

std::string text_of(const Config& config, const Choice& choice) {
  return std::string(choice.names[choice.get(config)]);
}

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> all = [] {
    std::vector<Option> together;
    for (const auto& part : {basic_options(), limit_options(), policy_options(), tpm_options(),
                             file_options(), metrics_options()}) {
      together.insert(together.end(), part.begin(), part.end());
    }
    return together;
  }();
  return all;
}

std::expected<void, std::string> set(Config& config, const Option& option,
                                     const std::string& text) {
  return std::visit([&](const auto& value) { return set_value(config, value, text); },
                    option.value);
}

std::string text_of(const Config& config, const Option& option) {
  return std::visit([&](const auto& value) { return text_of(config, value); }, option.value);
}

}  // namespace tbs::config
