#include "client/tbsctl/text/table.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "client/tbsctl/text/display_width.h"
#include "client/tbsctl/text/terminal.h"
#include "proto/terminal_text.h"

namespace tbs::ctl {
namespace {

constexpr std::string_view kBetween = "  ";
// A text that has no more room than this says nothing.
constexpr std::size_t kLeastColumn = 8;

}  // namespace

void Table::add(std::vector<Cell> row) {
  // As it is printed, so that its width is known.
  for (Cell& cell : row) {
    cell.text = proto::terminal_text(cell.text);
    cell.text.erase(cell.text.find_last_not_of(' ') + 1);
  }
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row.at(i).text));
    widths.push_back(width);
  }
  return widths;
}

void Table::fit(std::vector<std::size_t>& widths, std::size_t most) const {
  std::size_t all = std::accumulate(widths.begin(), widths.end(), std::size_t{0}) +
                    kBetween.size() * (widths.size() - 1);
  for (; all > most; --all) {
    std::optional<std::size_t> widest;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const Column& column = columns_[i];
      const bool fixed = column.whole || column.align == Align::Right ||
                         widths[i] <= std::max(column.title.size(), kLeastColumn);
      if (!fixed && (!widest || widths[i] > widths[*widest])) widest = i;
    }
    if (!widest) return;
    --widths[*widest];
  }
}

void Table::print_row(std::ostream& out, const std::vector<Cell>& row,
                      const std::vector<std::size_t>& widths) const {
  std::string blanks;  // of which those at the end of the line are left out
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string text = shortened(row[i].text, widths[i]);
    const std::string filling(widths[i] - display_width(text), ' ');
    const bool right = columns_[i].align == Align::Right;
    if (i > 0) blanks += kBetween;
    if (right) blanks += filling;
    if (!text.empty()) {
      out << blanks << Coloured{row[i].colour, text};
      blanks.clear();
    }
    if (!right) blanks += filling;
  }
  out << '\n';
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> column_widths = widths();
  if (const auto columns = columns_of(out)) fit(column_widths, *columns);
  std::vector<Cell> titles;
  titles.reserve(columns_.size());
  for (const Column& column : columns_) titles.emplace_back(column.title);
  print_row(out, titles, column_widths);
  for (const auto& row : rows_) print_row(out, row, column_widths);
}

void print_properties(std::ostream& out,
                      const std::vector<std::pair<std::string, Cell>>& properties) {
  std::size_t width = 0;
  for (const auto& [name, value] : properties) width = std::max(width, name.size());
  for (const auto& [name, value] : properties) {
    out << name << ':' << std::string(width - name.size() + 2, ' ')
        << Coloured{value.colour, value.text} << '\n';
  }
}

}  // namespace tbs::ctl
