#include "proto/rules/rules_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "proto/command_names.h"
#include "proto/rules/conditions.h"
#include "proto/rules/profiles.h"

namespace tbs::rules {
namespace {

using Failure = std::unexpected<std::string>;
using Result = std::expected<void, std::string>;

constexpr std::string_view kBlank = " \t\r";
constexpr std::size_t kMaxName = 255;

// Takes words off the front of a line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view next() {
    skip_blanks();
    const std::size_t length = std::min(rest_.find_first_of(kBlank), rest_.size());
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  // What follows, without blanks at its ends.
  std::string_view rest() {
    skip_blanks();
    return rest_.substr(0, rest_.find_last_not_of(kBlank) + 1);
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
  }
  std::string_view rest_;
};

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 64)) + "'";
}

std::optional<std::uint32_t> number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  const bool whole = stop == text.data() + text.size();
  if (text.empty() || error != std::errc{} || !whole) return std::nullopt;
  return value;
}

std::expected<Range, std::string> range(std::string_view text, bool commands) {
  if (commands) {
    if (const auto code = proto::command_code(text)) return Range{*code, *code};
  }
  const std::size_t dash = text.find('-');
  const auto first = number(text.substr(0, dash));
  if (!first) return Failure(quoted(text) + " is no " + (commands ? "command" : "number"));
  if (dash == text.npos) return Range{*first, *first};
  const std::string_view upper = text.substr(dash + 1);
  const auto last = upper.empty() ? std::numeric_limits<std::uint32_t>::max() : number(upper);
  if (!last || *last < *first) return Failure(quoted(text) + " is no range");
  return Range{*first, *last};
}

// Calls `take` with each part of a list, until one is not taken.
Result for_each_in(std::string_view list, auto take) {
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const Result taken = take(list.substr(0, comma)); !taken) return taken;
    if (comma == list.size()) return {};
    list.remove_prefix(comma + 1);
  }
}

class Parser {
 public:
  // `line` without its comment.
  Result statement(std::string_view line, std::string origin) {
    Words words(line);
    const std::string_view text = words.rest();
    const std::string_view verb = words.next();
    if (verb.empty()) return {};
    if (verb == "allow" || verb == "block" || verb == "ignore") {
      return rule({.allow = verb == "allow",
                   .ignore = verb == "ignore",
                   .origin = std::move(origin),
                   .text = std::string(text)},
                  words);
    }
    if (verb == "role") return role(words);
    return setting(verb, words);
  }

  Rules rules;

 private:
  Result setting(std::string_view verb, Words& words) {
    const std::string_view value = words.next();
    if (!words.at_end()) return Failure(quoted(words.rest()) + " is too much");
    if (verb == "profile") {
      if (!profile_text(value)) return Failure("there is no profile " + quoted(value));
      rules.profile = value;
    } else if (verb == "answer") {
      if (value != "windows" && value != "tpm") return Failure("answer is windows or tpm");
      rules.blocked_response = value == "tpm" ? BlockedResponse::Tpm : BlockedResponse::Windows;
    } else if (verb == "dry-run") {
      if (value != "yes" && value != "no") return Failure("dry-run is yes or no");
      rules.dry_run = value == "yes";
    } else {
      return Failure(quoted(verb) +
                     " is no statement: profile, answer, dry-run, role, allow, block, ignore");
    }
    return {};
  }

  Result role(Words& words) {
    const std::string_view name = words.next();
    if (name.empty() || name.size() > kMaxName || words.next() != "=") {
      return Failure("a role is: role NAME = TERM, ...");
    }
    if (name == "everybody" || name == "user") {
      return Failure(quoted(name) + " is what it is; only administrator can be given to more");
    }
    std::size_t index = find_role(name);
    if (index == rules.roles.size()) {
      if (index == kMaxRoles) return Failure("too many roles");
      rules.roles.push_back({.name = std::string(name), .terms = {}});
    }
    return for_each_in(words.rest(), [&](std::string_view text) -> Result {
      auto parsed = term(text);
      if (!parsed) return Failure(parsed.error());
      if (rules.roles[index].terms.size() == kMaxTerms) return Failure("too many terms");
      rules.roles[index].terms.push_back(*std::move(parsed));
      return {};
    });
  }

  static std::expected<RoleTerm, std::string> term(std::string_view text) {
    Words words(text);
    const std::string_view kind = words.next();
    const std::string_view value = words.next();
    const auto fault = [&] {
      return Failure("'" + std::string(text.substr(0, 64)) +
                     "' is none of: uid N, gid N, unit NAME, cgroup /PATH, tenant NAME");
    };
    if (value.empty() || value.size() > kMaxName || !words.at_end()) return fault();
    using Kind = RoleTerm::Kind;
    if (kind == "unit") return RoleTerm{.kind = Kind::Unit, .text = std::string(value)};
    if (kind == "tenant") return RoleTerm{.kind = Kind::Tenant, .text = std::string(value)};
    if (kind == "cgroup" && value.front() == '/') {
      return RoleTerm{.kind = Kind::Cgroup, .text = std::string(value)};
    }
    const auto id = number(value);
    if (!id || (kind != "uid" && kind != "gid")) return fault();
    return RoleTerm{.kind = kind == "uid" ? Kind::Uid : Kind::Gid, .number = *id, .text = {}};
  }

  Result rule(Rule rule, Words& words) {
    if (rules.rules.size() == kMaxRules) return Failure("too many rules");
    const std::string_view who = words.next();
    rule.role = find_role(who);
    if (rule.role == rules.roles.size()) {
      return Failure("there is no role " + quoted(who) + " so far");
    }
    if (words.at_end()) return Failure("a rule needs a condition: command, priority, ...");
    while (!words.at_end()) {
      const std::string_view name = words.next();
      if (const auto added = condition(rule, name, words.next()); !added) return added;
    }
    if (rule.ignore && !names_ignorable(rule.commands)) {
      return Failure("what can be ignored: command Startup,Shutdown,0x98,0x99");
    }
    rules.rules.push_back(std::move(rule));
    return {};
  }

  static bool names_ignorable(const Ranges& commands) {
    return !commands.empty() && std::ranges::all_of(commands, [](const Range& range) {
      return range.first == range.last && can_be_ignored(range.first);
    });
  }

  Result condition(Rule& rule, std::string_view name, std::string_view value) {
    if (name == "hierarchy") return hierarchies(rule, value);
    if (name == "owner") return owner(rule, value);
    if (name == "tenant") return tenants(rule, value);
    return ranges(rule, name, value);
  }

  static Result ranges(Rule& rule, std::string_view name, std::string_view value) {
    struct Kind {
      std::string_view name;
      Ranges Rule::* ranges;
    };
    static constexpr std::array kKinds = {Kind{"command", &Rule::commands},
                                          Kind{"priority", &Rule::priorities},
                                          Kind{"locality", &Rule::localities},
                                          Kind{"nv", &Rule::nv_indices},
                                          Kind{"pcr", &Rule::pcrs},
                                          Kind{"persistent", &Rule::persistent_handles},
                                          Kind{"handle", &Rule::handles}};
    const auto* const kind = std::ranges::find(kKinds, name, &Kind::name);
    if (kind == kKinds.end()) return Failure(quoted(name) + " is no condition");
    Ranges& ranges = rule.*kind->ranges;
    if (!ranges.empty()) return twice(name);
    auto parsed = parse_ranges(value, name == "command");
    if (!parsed) return Failure(parsed.error());
    ranges = *std::move(parsed);
    return {};
  }

  static Result hierarchies(Rule& rule, std::string_view value) {
    if (rule.hierarchies != 0) return twice("hierarchy");
    return for_each_in(value, [&](std::string_view name) -> Result {
      const auto hierarchy = hierarchy_named(name);
      if (!hierarchy) {
        return Failure(quoted(name) + " is none of: owner, endorsement, platform, lockout, null");
      }
      rule.hierarchies |= hierarchy_bit(*hierarchy);
      return {};
    });
  }

  static Result owner(Rule& rule, std::string_view value) {
    if (rule.owner) return twice("owner");
    if (value != "self" && value != "other") return Failure("owner is self or other");
    rule.owner = value == "self" ? Owner::Self : Owner::Other;
    return {};
  }

  // Each tenant is a role whose name nobody can write.
  Result tenants(Rule& rule, std::string_view value) {
    if (rule.tenants != 0) return twice("tenant");
    return for_each_in(value, [&](std::string_view name) -> Result {
      if (name.empty() || name.size() > kMaxName) return Failure("a tenant needs a name");
      const std::string role = "tenant " + std::string(name);
      const std::size_t index = find_role(role);
      if (index == rules.roles.size()) {
        if (index == kMaxRoles) return Failure("too many roles and tenants");
        rules.roles.push_back(
            {.name = role, .terms = {{.kind = RoleTerm::Kind::Tenant, .text = std::string(name)}}});
      }
      rule.tenants |= role_bit(index);
      return {};
    });
  }

  static Result twice(std::string_view name) {
    return Failure(std::string(name) + " stands twice in one rule");
  }

  [[nodiscard]] std::size_t find_role(std::string_view name) const {
    const auto found = std::ranges::find(rules.roles, name, &Role::name);
    return static_cast<std::size_t>(found - rules.roles.begin());
  }
};

std::expected<void, ParseError> parse_text(Parser& parser, const std::string& name,
                                           std::string_view text, bool profile) {
  if (text.size() > kMaxText) {
    return Failure(name + ": larger than " + std::to_string(kMaxText) + " bytes");
  }
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(text.size(), length + 1));
    const std::string place = profile ? name : name + ":" + std::to_string(line_number);
    const auto done = parser.statement(line.substr(0, line.find('#')), place);
    if (!done) return Failure(place + ": " + done.error());
  }
  return {};
}

}  // namespace

std::expected<Ranges, std::string> parse_ranges(std::string_view text, bool commands) {
  Ranges ranges;
  const auto parsed = for_each_in(text, [&](std::string_view part) -> Result {
    const auto one = range(part, commands);
    if (!one) return Failure(one.error());
    if (ranges.size() == kMaxRanges) return Failure("too many in one list");
    ranges.push_back(*one);
    return {};
  });
  if (!parsed) return std::unexpected(parsed.error());
  return ranges;
}

std::expected<Rules, ParseError> parse_rules(std::span<const Source> sources) {
  Parser parser;
  for (const Source& source : sources) {
    if (const auto parsed = parse_text(parser, source.name, source.text, false); !parsed) {
      return std::unexpected(parsed.error());
    }
  }
  const std::string profile = parser.rules.profile;
  const auto parsed = parse_text(parser, "profile " + profile, *profile_text(profile), true);
  if (!parsed) return std::unexpected(parsed.error());
  return std::move(parser.rules);
}

}  // namespace tbs::rules
