#pragma once

// Columns for people: texts to the left, numbers to the right, two spaces between, no blanks at the
// end of a line. On a terminal texts are cut until the lines fit; everywhere else nothing is.

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "client/tbsctl/text/colour.h"

namespace tbs::ctl {

enum class Align : std::uint8_t { Left, Right };

struct Column {
  std::string title;
  Align align = Align::Left;
  bool whole = false;  // never cut: what is copied from there is of no use without its end
};

struct Cell {
  Cell(std::string content, Colour state = Colour::Plain)  // NOLINT(google-explicit-constructor)
      : text(std::move(content)), colour(state) {}
  Cell(const char* content) : text(content) {}  // NOLINT(google-explicit-constructor)

  std::string text;
  Colour colour = Colour::Plain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // A row has one cell per column.
  void add(std::vector<Cell> row);
  void print(std::ostream& out) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  // The widest text gives way first, down to its title.
  void fit(std::vector<std::size_t>& widths, std::size_t most) const;
  void print_row(std::ostream& out, const std::vector<Cell>& row,
                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "name:   value" lines with the values below each other.
void print_properties(std::ostream& out,
                      const std::vector<std::pair<std::string, Cell>>& properties);

}  // namespace tbs::ctl
