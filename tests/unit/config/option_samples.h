#pragma once

// A value for each setting that is not its default, so that tests can go through the table.

#include <string>
#include <variant>

#include "daemon/config/option_table.h"

namespace tbs::test {

struct OptionSample {
  std::string good;
  std::string bad;  // empty where any text is good
};

inline OptionSample sample_of(const config::Option& option) {
  const std::string before = config::text_of(Config{}, option);
  if (const auto* const number = std::get_if<config::Number>(&option.value)) {
    const std::string lowest = std::to_string(number->lowest);
    return {.good = lowest == before ? std::to_string(number->highest) : lowest,
            .bad = std::to_string(number->highest + 1)};
  }
  if (std::holds_alternative<config::Switch>(option.value)) {
    return {.good = before == "yes" ? "no" : "yes", .bad = "perhaps"};
  }
  if (const auto* const choice = std::get_if<config::Choice>(&option.value)) {
    const std::string first(choice->names.front());
    return {.good = first == before ? std::string(choice->names.back()) : first, .bad = "other"};
  }
  if (option.name == "device") return {.good = "embedded", .bad = "floppy"};
  // A group that every system has.
  return {.good = option.name.ends_with("-group") ? "root" : "/some/where", .bad = ""};
}

}  // namespace tbs::test
