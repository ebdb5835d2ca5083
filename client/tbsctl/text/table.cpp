#include "client/tbsctl/text/table.h"

#include <algorithm>

namespace tbs::ctl {

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_[i].title.size();
    for (const auto& row : rows_) width = std::max(width, row.at(i).size());
    widths.push_back(width);
  }
  return widths;
}

void Table::print_row(std::ostream& out, const std::vector<std::string>& row,
                      const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string blanks(widths[i] - row[i].size(), ' ');
    if (i > 0) line += "  ";
    line += columns_[i].align == Align::Right ? blanks + row[i] : row[i] + blanks;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

void Table::print(std::ostream& out) const {
  const std::vector<std::size_t> column_widths = widths();
  std::vector<std::string> titles;
  titles.reserve(columns_.size());
  for (const Column& column : columns_) titles.push_back(column.title);
  print_row(out, titles, column_widths);
  for (const auto& row : rows_) print_row(out, row, column_widths);
}

void print_properties(std::ostream& out,
                      const std::vector<std::pair<std::string, std::string>>& properties) {
  std::size_t width = 0;
  for (const auto& [name, value] : properties) width = std::max(width, name.size());
  for (const auto& [name, value] : properties) {
    out << name << ':' << std::string(width - name.size() + 2, ' ') << value << '\n';
  }
}

}  // namespace tbs::ctl
