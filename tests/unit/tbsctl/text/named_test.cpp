#include "client/tbsctl/text/named.h"

#include "client/tbsctl/text/priority.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

namespace {

enum class Colour : std::uint8_t { Red, Green, Blue };
constexpr Names<Colour, 2> kColours = {{{Colour::Red, "red"}, {Colour::Green, "green"}}};

}  // namespace

TEST_CASE("names are read both ways", "[tbsctl][named]") {
  CHECK(name_of(kColours, Colour::Green) == "green");
  CHECK_FALSE(name_of(kColours, Colour::Blue));
  CHECK(value_of(kColours, "red") == Colour::Red);
  CHECK_FALSE(value_of(kColours, "blue"));
  CHECK_FALSE(value_of(kColours, ""));
  CHECK(listed(kColours) == "red, green");
}

TEST_CASE("priorities have names, and any number is one", "[tbsctl][named]") {
  CHECK(parse_priority("high") == 300);
  CHECK(parse_priority("0x80000000") == 0x80000000U);
  CHECK(parse_priority("7") == 7);
  CHECK_FALSE(parse_priority("High"));
  CHECK(priority_name(0x80000000U) == "max");
  CHECK_FALSE(priority_name(7));
}
