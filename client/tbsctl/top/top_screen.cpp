#include "client/tbsctl/top/top_screen.h"

#include <algorithm>
#include <array>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/top/top_text.h"

namespace tbs::ctl {
namespace {

// Below this height the rows are worth more than the whole header.
constexpr std::size_t kRoomForHeader = 16;
constexpr std::size_t kShortHeader = 2;
// What a row does now is worth more than another column, up to this width.
constexpr std::size_t kWidthOfNow = 36;
// Names of users, programs and units are cut behind this.
constexpr std::size_t kWidestCell = 24;

constexpr std::array<std::string_view, 13> kHelp = {
    "Up, Down, PageUp, PageDown, Home, End   choose a row",
    "Enter   a context: what it holds; a user or unit: its contexts",
    "Esc     back",
    "c       cancel what the context has outstanding; asks first",
    "g       by context, by user, by unit",
    "s       sort by the next of these:",
    "t       TPM time",
    "r       commands a second",
    "w       commands that wait",
    "m       memory: bytes of commands and answers that are kept",
    "n       name or number",
    "Space   look now",
    "q       quit",
};

std::string fitted(std::string_view text, std::size_t width) {
  return std::string(text.substr(0, width));
}

// Which columns there is room for, and how wide each is.
struct Layout {
  std::vector<TopColumn> columns;
  std::vector<std::size_t> widths;
  std::vector<bool> shown;

  [[nodiscard]] std::size_t needed() const {
    std::size_t sum = kWidthOfNow;
    for (std::size_t i = 0; i + 1 < columns.size(); ++i) sum += shown[i] ? widths[i] + 2 : 0;
    return sum;
  }
  // The one that can be done without best; whether there was one.
  bool drop_one() {
    std::size_t least = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const bool candidate = shown[i] && columns[i].rank > 0;
      if (candidate && (least == columns.size() || columns[i].rank > columns[least].rank)) {
        least = i;
      }
    }
    if (least == columns.size()) return false;
    shown[least] = false;
    return true;
  }
};

Layout layout_of(const std::vector<std::vector<std::string>>& rows, TopGroup group,
                 std::size_t width) {
  Layout layout{.columns = top_columns(group), .widths = {}, .shown = {}};
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    std::size_t widest = layout.columns[i].title.size();
    for (const auto& row : rows) widest = std::max(widest, std::min(row[i].size(), kWidestCell));
    layout.widths.push_back(widest);
  }
  layout.shown.assign(layout.columns.size(), true);
  while (layout.needed() > width && layout.drop_one()) {
  }
  return layout;
}

std::string laid_out(const Layout& layout, const std::vector<std::string>& cells,
                     std::size_t width) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!layout.shown[i]) continue;
    if (!line.empty()) line += "  ";
    if (i + 1 == cells.size()) {
      line += cells[i];
      break;
    }
    const std::string cell = fitted(cells[i], layout.widths[i]);
    const std::string blanks(layout.widths[i] - cell.size(), ' ');
    line += layout.columns[i].align == Align::Right ? blanks + cell : cell + blanks;
  }
  return fitted(line, width);
}

// The rows, and the title above them.
void draw_rows(std::vector<ScreenLine>& lines, const TopState& state, std::size_t room,
               std::size_t width) {
  std::vector<std::vector<std::string>> rows;
  for (const TopRow& row : state.rows()) rows.push_back(top_cells(row, state.group()));
  const Layout layout = layout_of(rows, state.group(), width);
  std::vector<std::string> titles;
  titles.reserve(layout.columns.size());
  for (const TopColumn& column : layout.columns) titles.push_back(column.title);
  lines.push_back({.text = laid_out(layout, titles, width), .reversed = true});
  const std::size_t first = state.chosen() < room ? 0 : state.chosen() + 1 - room;
  for (std::size_t i = first; i < rows.size() && i < first + room; ++i) {
    const bool chosen = i == state.chosen();
    lines.push_back({.text = laid_out(layout, rows[i], width), .reversed = chosen});
  }
}

template <typename Texts>
void draw_text(std::vector<ScreenLine>& lines, const std::string& title, const Texts& texts,
               std::size_t skipped, std::size_t room, std::size_t width) {
  lines.push_back({.text = fitted(title, width), .reversed = true});
  for (std::size_t i = skipped; i < texts.size() && i < skipped + room; ++i) {
    lines.push_back({.text = fitted(texts[i], width)});
  }
}

std::string footer_of(const TopState& state) {
  if (const auto context = state.asking()) {
    return "Cancel what context " + std::to_string(*context) + " has outstanding? y/n";
  }
  if (!state.message().empty()) return printable(state.message());
  if (state.help()) return "any key goes back";
  if (state.open()) return "Esc back  c cancel  q quit";
  const std::string of =
      state.filter().group == TopGroup::Context ? "" : "  Esc back from " + state.filter().name;
  return "h help  q quit  s sort: " + std::string(*name_of(kTopOrders, state.order())) +
         "  g by: " + std::string(*name_of(kTopGroups, state.group())) + "  Enter open  c cancel" +
         of;
}

std::size_t header_lines(const std::vector<std::string>& header, ScreenSize size) {
  return std::min(header.size(), size.height < kRoomForHeader ? kShortHeader : header.size());
}

}  // namespace

std::size_t rows_on_screen(const std::vector<std::string>& header, ScreenSize size) {
  const std::size_t others = header_lines(header, size) + 2;  // title and footer
  return size.height > others ? size.height - others : 1;
}

std::vector<ScreenLine> draw_top(const TopState& state, const std::vector<std::string>& header,
                                 ScreenSize size) {
  std::vector<ScreenLine> lines;
  lines.reserve(size.height);
  const std::size_t above = state.help() ? 0 : header_lines(header, size);
  for (std::size_t i = 0; i < above; ++i) {
    lines.push_back({.text = fitted(header[i], size.width)});
  }
  const std::size_t room = rows_on_screen(header, size);
  if (state.help()) {
    draw_text(lines, "Keys", kHelp, 0, size.height, size.width);
  } else if (state.open()) {
    draw_text(lines, "Context " + std::to_string(*state.open()), state.open_lines(),
              state.scrolled(), room, size.width);
  } else {
    draw_rows(lines, state, room, size.width);
  }
  lines.resize(std::max<std::size_t>(size.height, 1) - 1);
  lines.push_back({.text = fitted(footer_of(state), size.width)});
  for (ScreenLine& line : lines) {
    if (line.reversed) line.text.resize(size.width, ' ');
  }
  return lines;
}

}  // namespace tbs::ctl
