#pragma once

// Columns for people: texts to the left, numbers to the right, two spaces between, no blanks at the
// end of a line.

#include <ostream>
#include <string>
#include <vector>

namespace tbs::ctl {

enum class Align : std::uint8_t { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // A row has one cell per column.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(std::ostream& out) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  void print_row(std::ostream& out, const std::vector<std::string>& row,
                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "name:   value" lines with the values below each other.
void print_properties(std::ostream& out,
                      const std::vector<std::pair<std::string, std::string>>& properties);

}  // namespace tbs::ctl
