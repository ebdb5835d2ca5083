#include "tests/bench/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tbs::bench {
namespace {

// Three digits that count, and no decimals for large numbers.
std::string number_text(double value) {
  const double size = std::abs(value);
  const int decimals = size >= 100 || value == 0 ? 0 : size >= 10 ? 1 : 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string text_of(const Value& value) {
  const auto* const text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : number_text(std::get<double>(value));
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(column.size());
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths.at(i) = std::max(widths.at(i), text_of(row[i]).size());
    }
  }
  return widths;
}

// Words to the left, numbers to the right.
void append_cell(std::string& line, const std::string& text, std::size_t width, bool number) {
  const std::string space(width - text.size(), ' ');
  line += "  " + (number ? space + text : text + space);
}

void append_table(std::string& out, const Table& table) {
  const auto widths = widths_of(table);
  out += "\n" + table.title + "\n";
  std::string head;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool number = std::ranges::any_of(
        table.rows, [i](const auto& row) { return std::holds_alternative<double>(row.at(i)); });
    append_cell(head, table.columns[i], widths[i], number);
  }
  out += head + "\n";
  for (const auto& row : table.rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      append_cell(line, text_of(row[i]), widths[i], std::holds_alternative<double>(row[i]));
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
}

nlohmann::json json_of(const Value& value) {
  return std::visit([](const auto& each) { return nlohmann::json(each); }, value);
}

}  // namespace

std::string to_text(const Section& section) {
  std::string out;
  for (const Table& table : section.tables) append_table(out, table);
  for (const Goal& goal : section.goals) {
    out += "  goal: " + goal.what + (goal.bound == Bound::AtMost ? " <= " : " >= ") +
           number_text(goal.limit) + ": " + number_text(goal.value) +
           (goal.reached() ? ", reached\n" : ", MISSED\n");
  }
  for (const std::string& note : section.notes) out += "  " + note + "\n";
  return out;
}

nlohmann::json to_json(const Section& section) {
  nlohmann::json out = {{"name", section.name}, {"notes", section.notes}};
  for (const Table& table : section.tables) {
    nlohmann::json rows = nlohmann::json::array();
    for (const auto& row : table.rows) {
      nlohmann::json entry;
      for (std::size_t i = 0; i < row.size(); ++i) entry[table.columns[i]] = json_of(row[i]);
      rows.push_back(std::move(entry));
    }
    out["tables"].push_back({{"title", table.title}, {"rows", std::move(rows)}});
  }
  for (const Goal& goal : section.goals) {
    out["goals"].push_back({{"what", goal.what},
                            {"value", goal.value},
                            {"bound", goal.bound == Bound::AtMost ? "at most" : "at least"},
                            {"limit", goal.limit},
                            {"reached", goal.reached()}});
  }
  return out;
}

}  // namespace tbs::bench
