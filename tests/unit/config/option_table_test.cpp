#include "daemon/config/option_table.h"

#include <set>

#include "tests/support/catch2.h"
#include "tests/unit/config/option_samples.h"

using namespace tbs;
using config::options;
using config::text_of;

namespace {

const config::Option& option_named(std::string_view name) {
  for (const config::Option& option : options()) {
    if (option.name == name) return option;
  }
  FAIL("there is no option " << name);
  return options().front();
}

std::string error_of(std::string_view name, const std::string& text) {
  Config config;
  const auto taken = config::set(config, option_named(name), text);
  return taken ? "" : taken.error();
}

}  // namespace

TEST_CASE("each setting takes the text that it is written as", "[config]") {
  for (const config::Option& option : options()) {
    INFO(option.name);
    Config config;
    const std::string before = text_of(config, option);
    REQUIRE(config::set(config, option, before).has_value());
    CHECK(text_of(config, option) == before);
    const auto sample = test::sample_of(option);
    REQUIRE(config::set(config, option, sample.good).has_value());
    CHECK(text_of(config, option) == sample.good);
    CHECK(sample.good != before);
  }
}

TEST_CASE("a setting changes itself alone", "[config]") {
  for (const config::Option& option : options()) {
    INFO(option.name);
    Config config;
    REQUIRE(config::set(config, option, test::sample_of(option).good).has_value());
    for (const config::Option& other : options()) {
      if (&other != &option) CHECK(text_of(config, other) == text_of(Config{}, other));
    }
  }
}

TEST_CASE("a value that cannot be used leaves the old one and is named", "[config]") {
  for (const config::Option& option : options()) {
    const std::string bad = test::sample_of(option).bad;
    if (bad.empty()) continue;
    INFO(option.name << " = " << bad);
    Config config;
    const auto taken = config::set(config, option, bad);
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().contains(bad));
    CHECK(text_of(config, option) == text_of(Config{}, option));
  }
}

TEST_CASE("names and descriptions are fit to be shown", "[config]") {
  std::set<std::string> names;
  for (const config::Option& option : options()) {
    INFO(option.name);
    CHECK(names.insert(option.name).second);
    CHECK(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
    CHECK_FALSE(option.about.empty());
    CHECK_FALSE(option.form.empty());
  }
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    CHECK(names.contains(std::string(rule.name)));
  }
}

TEST_CASE("a switch is yes or no, and understands other words for it", "[config]") {
  const config::Option& option = option_named("keep-saved-sessions");
  for (const char* yes : {"yes", "true", "on", "1"}) {
    Config config;
    REQUIRE(config::set(config, option, yes).has_value());
    CHECK(config.keep_saved_sessions);
    CHECK(text_of(config, option) == "yes");
  }
  for (const char* no : {"no", "false", "off", "0"}) {
    Config config;
    config.keep_saved_sessions = true;
    REQUIRE(config::set(config, option, no).has_value());
    CHECK_FALSE(config.keep_saved_sessions);
    CHECK(text_of(config, option) == "no");
  }
  for (const char* wrong : {"", "y", "YES please", "2", "-1", "yes no"}) {
    INFO(wrong);
    CHECK(error_of("keep-saved-sessions", wrong).contains("neither yes nor no"));
  }
}

TEST_CASE("a number has bounds, and nothing around it", "[config]") {
  CHECK(error_of("high-share", "0").empty());
  CHECK(error_of("high-share", "100").empty());
  for (const char* wrong : {"", "101", "-1", "25%", " 25", "0x10", "18446744073709551616"}) {
    INFO(wrong);
    CHECK(error_of("high-share", wrong).contains("no number from 0 to 100"));
  }
}

TEST_CASE("the bounds of each number can be used, and nothing beyond them", "[config]") {
  for (const config::Option& option : options()) {
    const auto* const number = std::get_if<config::Number>(&option.value);
    if (number == nullptr) continue;
    INFO(option.name);
    const auto taken = [&](std::size_t value) {
      Config config;
      return config::set(config, option, std::to_string(value)).has_value() &&
             text_of(config, option) == std::to_string(value);
    };
    CHECK(taken(number->lowest));
    CHECK(taken(number->highest));
    CHECK_FALSE(taken(number->highest + 1));
    CHECK((number->lowest == 0 || !taken(number->lowest - 1)));
  }
}

TEST_CASE("a choice lists what could be chosen", "[config]") {
  CHECK(error_of("share", "always") == "'always' is none of idle, strict, exclusive and auto");
  CHECK(error_of("share", "Idle").contains("none of"));
  Config config;
  REQUIRE(config::set(config, option_named("share"), "exclusive").has_value());
  CHECK(config.share == ShareMode::Exclusive);
  REQUIRE(config::set(config, option_named("log-level"), "off").has_value());
  CHECK(config.log_level == LogLevel::Off);
  REQUIRE(config::set(config, option_named("log-readers"), "everyone").has_value());
  CHECK(config.log_readers == LogReaders::Everyone);
}

TEST_CASE("a device must be one of those that there are", "[config]") {
  CHECK(error_of("device", "swtpm:path=/run/swtpm").empty());
  CHECK(error_of("device", "swtpm:port=1").contains("swtpm"));
}
