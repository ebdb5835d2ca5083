#pragma once

// Readers of option values: each takes the text that a user gave and puts the value into a field of
// the subcommand's options, which it keeps alive.

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/number.h"

namespace tbs::ctl {

template <typename Options, typename Field>
std::shared_ptr<Field> field(const std::shared_ptr<Options>& options, Field Options::* member) {
  return {options, &((*options).*member)};
}

Reader set(const std::shared_ptr<bool>& into, bool value = true);
Reader read_text(const std::shared_ptr<std::string>& into);
// Several words become one text, with blanks between.
Reader read_words(const std::shared_ptr<std::string>& into);
// One more of a list.
Reader read_list(const std::shared_ptr<std::vector<std::string>>& into);
// A time, in seconds: 90, 90s, 10m, 2h.
Reader read_seconds(const std::shared_ptr<std::uint32_t>& into);
// A number or one of the names of priorities.
Reader read_priority(const std::shared_ptr<std::uint32_t>& into);
// The number of a user or group, or its name.
Reader read_user(const std::shared_ptr<std::uint32_t>& into);
Reader read_groups(const std::shared_ptr<std::vector<std::uint32_t>>& into);

std::unexpected<std::string> no_number(const std::string& text, bool above_zero);

template <std::unsigned_integral Number>
Reader read_number(const std::shared_ptr<Number>& into, Number least = 0) {
  return [into, least](const std::string& text) -> std::expected<void, std::string> {
    const auto number = parse_number<Number>(text);
    if (!number || *number < least) return no_number(text, least > 0);
    *into = *number;
    return {};
  };
}

template <std::unsigned_integral Number>
Reader read_number(const std::shared_ptr<std::optional<Number>>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    *into = parse_number<Number>(text);
    if (!*into) return no_number(text, false);
    return {};
  };
}

template <std::unsigned_integral Number>
Reader read_numbers(const std::shared_ptr<std::vector<Number>>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    const auto number = parse_number<Number>(text);
    if (!number) return no_number(text, false);
    into->push_back(*number);
    return {};
  };
}

// One of the names in a table that lives as long as the program.
template <typename Value, std::size_t kCount>
Reader read_name(const std::shared_ptr<Value>& into, const Names<Value, kCount>& names) {
  return [into, &names](const std::string& text) -> std::expected<void, std::string> {
    const auto value = value_of(names, text);
    if (!value) return std::unexpected("'" + text + "' is none of " + listed(names));
    *into = *value;
    return {};
  };
}

template <typename Value, std::size_t kCount>
Offer names_of(const Names<Value, kCount>& names) {
  Offer offer{.kind = Offer::Kind::Words};
  for (const Named<Value>& each : names) offer.words.emplace_back(each.name);
  return offer;
}

// Options that several subcommands have.
Option priority_option(const std::shared_ptr<std::uint32_t>& into);
Option locality_option(const std::shared_ptr<std::uint32_t>& into);

}  // namespace tbs::ctl
