#include "client/tbsctl/text/display_width.h"

#include "tests/support/catch2.h"

using tbs::ctl::display_width;
using tbs::ctl::shortened;

namespace {

constexpr const char* kKey = "Schl\xc3\xbcssel";       // an umlaut
constexpr const char* kAccent = "e\xcc\x81t\xc3\xa9";  // the first accent is a character of its own
constexpr const char* kWide = "\xe9\x8d\xb5\xe9\x8d\xb5";  // two of two columns each

}  // namespace

TEST_CASE("width is counted in columns, not in bytes", "[tbsctl][terminal]") {
  CHECK(display_width("") == 0);
  CHECK(display_width("tbsctl") == 6);
  CHECK(display_width(kKey) == 9);
  CHECK(display_width(kAccent) == 3);
  CHECK(display_width(kWide) == 4);
  CHECK(display_width("a\xff\xfez") == 4);  // each is printed as a question mark
  CHECK(display_width(std::string_view("a\0z", 3)) == 3);
}

TEST_CASE("what is too long is cut between characters", "[tbsctl][terminal]") {
  CHECK(shortened("tbsctl", 6) == "tbsctl");
  CHECK(shortened("tbsctl", 5) == "tb...");
  CHECK(shortened("tbsctl", 2) == "..");
  CHECK(shortened("tbsctl", 0).empty());
  CHECK(shortened(kKey, 8) == "Schl\xc3\xbc...");
  CHECK(shortened(kKey, 7) == "Schl...");
  CHECK(shortened("e\xcc\x81t\xc3\xa9xxx", 4) == "e\xcc\x81...");
  // Half of a wide character is none.
  CHECK(shortened("\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", 4) == "...");
  CHECK(shortened("\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", 5) == "\xe9\x8d\xb5...");
  for (std::size_t columns = 0; columns < 12; ++columns) {
    for (const std::string_view text : {kKey, kAccent, kWide, "a\xff\xfez"}) {
      CAPTURE(text, columns);
      CHECK(display_width(shortened(text, columns)) <= columns);
    }
  }
}
