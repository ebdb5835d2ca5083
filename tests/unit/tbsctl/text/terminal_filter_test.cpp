#include "client/tbsctl/text/terminal_filter.h"

#include <sstream>

#include "tests/support/catch2.h"

using tbs::ctl::TerminalFilter;

namespace {

std::string filtered(const std::vector<std::string>& pieces) {
  std::ostringstream out;
  {
    TerminalFilter filter(out);
    std::ostream text(&filter);
    for (const std::string& piece : pieces) text << piece;
  }
  return out.str();
}

}  // namespace

TEST_CASE("text and the ends of its lines pass", "[tbsctl][terminal]") {
  CHECK(filtered({"one\ntwo\n\nthr", "ee"}) == "one\ntwo\n\nthree");
  CHECK(filtered({"Schl\xc3", "\xbcssel\n"}) == "Schl\xc3\xbcssel\n");
}

TEST_CASE("no byte that a terminal obeys passes", "[tbsctl][terminal]") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string out = filtered({std::string("a") + static_cast<char>(byte) + "b"});
    CAPTURE(byte);
    const bool harmless = byte == '\n' || (byte >= ' ' && byte < 0x7F);
    CHECK(out == (harmless ? std::string("a") + static_cast<char>(byte) + "b" : "a?b"));
  }
  CHECK(filtered({"a\xc2",
                  "\x9b"
                  "31m\n"}) == "a?31m\n");
  CHECK(filtered({"\xe2\x80\xae", "\xe2\x81\xa6", "\xd8\x9c"}) == "???");
}

TEST_CASE("a line that never ends comes through in pieces, whole characters each",
          "[tbsctl][terminal]") {
  std::string line;
  while (line.size() < 20'000) line += "x\xc3\xbc";
  CHECK(filtered({line}) == line);
  std::ostringstream out;
  TerminalFilter filter(out);
  std::ostream text(&filter);
  text << line;
  CHECK(out.str().size() > 10'000);
}

TEST_CASE("what is flushed is there, and a full disk is noticed", "[tbsctl][terminal]") {
  std::ostringstream out;
  TerminalFilter filter(out);
  std::ostream text(&filter);
  text << "waiting" << std::flush;
  CHECK(out.str() == "waiting");
  out.setstate(std::ios::badbit);
  text << "more" << std::flush;
  CHECK_FALSE(text);
}
