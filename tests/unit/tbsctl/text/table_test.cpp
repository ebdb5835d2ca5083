#include "client/tbsctl/text/table.h"

#include <sstream>

#include "client/tbsctl/text/display_width.h"
#include "client/tbsctl/text/terminal_filter.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

Table sample() {
  Table table({{"USER"}, {"PID", Align::Right}, {"PROGRAM"}, {"VALUE", Align::Left, true}});
  table.add({"alice", "17", "tpm2_createprimary", "00112233445566778899"});
  table.add({"j\xc3\xbcrgen", "4711", "x", Cell("ff", Colour::Bad)});
  return table;
}

std::string on(const Terminal& terminal, const Table& table) {
  std::ostringstream bytes;
  {
    TerminalFilter filter(bytes);
    filter.set_terminal(terminal);
    std::ostream out(&filter);
    table.print(out);
  }
  return bytes.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

constexpr const char* kWhole =
    "USER     PID  PROGRAM             VALUE\n"
    "alice     17  tpm2_createprimary  00112233445566778899\n"
    "j\xc3\xbcrgen  4711  x                   ff\n";

}  // namespace

TEST_CASE("columns stand below each other, also with letters of several bytes",
          "[tbsctl][terminal]") {
  std::ostringstream out;
  sample().print(out);
  CHECK(out.str() == kWhole);
  CHECK(on({}, sample()) == kWhole);
  CHECK(on({.colours = false, .columns = 54}, sample()) == kWhole);
}

TEST_CASE("on a terminal texts are cut until a line fits", "[tbsctl][terminal]") {
  const auto lines = lines_of(on({.colours = false, .columns = 45}, sample()));
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == "alice     17  tpm2_c...  00112233445566778899");
  for (std::size_t columns = 44; columns < 60; ++columns) {
    for (const std::string& line : lines_of(on({.colours = false, .columns = columns}, sample()))) {
      CHECK(display_width(line) <= columns);
    }
  }
  // Numbers, and what is copied, stay whole, however narrow it is.
  for (const std::size_t columns : {std::size_t{1}, std::size_t{20}}) {
    const auto narrow = lines_of(on({.colours = false, .columns = columns}, sample()));
    CHECK(narrow[1] == "alice     17  tpm2_...  00112233445566778899");
    CHECK(narrow[2].find("4711") != std::string::npos);
  }
}

TEST_CASE("a colour is around the word alone, and takes no room", "[tbsctl][terminal]") {
  const auto lines = lines_of(on({.colours = true, .columns = std::nullopt}, sample()));
  CHECK(lines[2] == "j\xc3\xbcrgen  4711  x                   \x1b[31mff\x1b[0m");
  CHECK(lines[1].find('\x1b') == std::string::npos);
}

TEST_CASE("no cell of a table steers a terminal, with colours or without", "[tbsctl][terminal]") {
  Table table({{"PROGRAM"}, {"STATE"}});
  table.add({"a\x1b[31mb\nc", Cell("\x1b[32mgood", Colour::Good)});
  CHECK(lines_of(on({.colours = true, .columns = 80}, table))[1] ==
        "a?[31mb?c  \x1b[32m?[32mgood\x1b[0m");
  CHECK(lines_of(on({}, table))[1] == "a?[31mb?c  ?[32mgood");
}

TEST_CASE("blanks at the end of a line are left out", "[tbsctl][terminal]") {
  Table table({{"ONE"}, {"TWO"}, {"THREE"}});
  table.add({"1 ", "", "  "});
  table.add({"", "", "  inset"});
  CHECK(lines_of(on({}, table)) ==
        std::vector<std::string>{"ONE  TWO  THREE", "1", "            inset"});
}

TEST_CASE("a property may have a colour", "[tbsctl][terminal]") {
  std::ostringstream bytes;
  TerminalFilter filter(bytes);
  filter.set_terminal({.colours = true, .columns = std::nullopt});
  std::ostream out(&filter);
  print_properties(out, {{"Device", {"ready", Colour::Good}}, {"Up", "1 s"}});
  CHECK(bytes.str() == "Device:  \x1b[32mready\x1b[0m\nUp:      1 s\n");
}
