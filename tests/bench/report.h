#pragma once

// Tables of numbers with the goals they are held against, as text for people or as JSON. In text,
// each section appears as soon as it is complete.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace tbs::bench {

using Value = std::variant<std::string, double>;

struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows = {};
};

enum class Bound : bool { AtMost, AtLeast };

struct Goal {
  std::string what;
  double value;
  Bound bound;
  double limit;

  [[nodiscard]] bool reached() const {
    return bound == Bound::AtMost ? value <= limit : value >= limit;
  }
};

struct Section {
  std::string name;  // for --json, and to choose it on the command line
  std::vector<Table> tables = {};
  std::vector<Goal> goals = {};
  std::vector<std::string> notes = {};
};

std::string to_text(const Section& section);
nlohmann::json to_json(const Section& section);

}  // namespace tbs::bench
