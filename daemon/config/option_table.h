#pragma once

// All settings in one table: each with its name, what it is about, and how its value is written.
// The command line, the configuration file, --help, --print-config, --check and the test of the
// manual go through it.

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/config/config.h"

namespace tbs::config {

struct Text {
  std::string Config::* value;
  // What is wrong with a text, when something is. May be null.
  std::expected<void, std::string> (*check)(const std::string&) = nullptr;
};

// Written yes or no; true, false, on, off, 1 and 0 are taken as well.
struct Switch {
  bool Config::* value;
};

struct Number {
  std::variant<unsigned Config::*, std::size_t policy::Limits::*> value;
  std::size_t lowest;
  std::size_t highest;
};

// One of several names, which stand in the order of the enumerators.
struct Choice {
  std::span<const std::string_view> names;
  std::size_t (*get)(const Config&);
  void (*set)(Config&, std::size_t);
};

struct Option {
  std::string name;  // without dashes
  std::string form;  // of the value, for --help: "FOLDER"
  std::string about;
  std::variant<Text, Switch, Number, Choice> value;
};

// In the order in which --help and --print-config show them.
const std::vector<Option>& options();

// Takes the value from its text. The error says what would be right.
std::expected<void, std::string> set(Config& config, const Option& option, const std::string& text);

// The value as it would be written.
std::string text_of(const Config& config, const Option& option);

}  // namespace tbs::config
