#include "client/tbsctl/command_line/readers.h"

#include <limits>

#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {

std::unexpected<std::string> no_number(const std::string& text, bool above_zero) {
  return std::unexpected("'" + text + "' is not a number" + (above_zero ? " above 0" : "") +
                         ", or too large");
}

Reader set(const std::shared_ptr<bool>& into, bool value) {
  return [into, value](const std::string&) -> std::expected<void, std::string> {
    *into = value;
    return {};
  };
}

Reader read_text(const std::shared_ptr<std::string>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    *into = text;
    return {};
  };
}

Reader read_words(const std::shared_ptr<std::string>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    *into += (into->empty() ? "" : " ") + text;
    return {};
  };
}

Reader read_list(const std::shared_ptr<std::vector<std::string>>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    into->push_back(text);
    return {};
  };
}

Reader read_seconds(const std::shared_ptr<std::uint32_t>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    std::uint64_t unit = 1;
    std::string digits = text;
    if (text.ends_with('h')) unit = 3600;
    if (text.ends_with('m')) unit = 60;
    if (text.ends_with('h') || text.ends_with('m') || text.ends_with('s')) digits.pop_back();
    const auto number = parse_number<std::uint32_t>(digits);
    if (!number || *number * unit > std::numeric_limits<std::uint32_t>::max()) {
      return std::unexpected("'" + text + "' is no time: 90 or 90s, 10m, 2h");
    }
    *into = static_cast<std::uint32_t>(*number * unit);
    return {};
  };
}

Reader read_priority(const std::shared_ptr<std::uint32_t>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    const auto priority = parse_priority(text);
    if (!priority) {
      return std::unexpected("'" + text + "' is neither a number nor one of " +
                             listed(kPriorities));
    }
    *into = *priority;
    return {};
  };
}

Reader read_user(const std::shared_ptr<std::uint32_t>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    const auto uid = parse_user(text);
    if (!uid) return std::unexpected("there is no user '" + text + "'");
    *into = *uid;
    return {};
  };
}

Reader read_groups(const std::shared_ptr<std::vector<std::uint32_t>>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    const auto gid = parse_group(text);
    if (!gid) return std::unexpected("there is no group '" + text + "'");
    into->push_back(*gid);
    return {};
  };
}

Option priority_option(const std::shared_ptr<std::uint32_t>& into) {
  return {
      .name = "--priority",
      .value = "PRIORITY",
      .about = "A number, or low (100), normal (200, the default), high (300), system (400), max",
      .read = read_priority(into),
      .offer = names_of(kPriorities)};
}

Option locality_option(const std::shared_ptr<std::uint32_t>& into) {
  return {.name = "--locality",
          .value = "NUMBER",
          .about = "Locality of the command (default 0)",
          .read = read_number<std::uint32_t>(into),
          .offer = {Offer::Kind::Words, {"0", "1", "2", "3", "4"}}};
}

}  // namespace tbs::ctl
