#include "client/tbsctl/pcr/read_pcrs.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("selections of PCRs", "[tbsctl][pcr]") {
  const auto one = parse_selection("sha256:0,7-9");
  REQUIRE(one);
  REQUIRE(one->size() == 1);
  CHECK(one->front().algorithm == 0x000B);
  CHECK(one->front().pcrs == 0x381);
  const auto two = parse_selection("sha1+sha256:23");
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK(two->front().pcrs == 0xFFFFFF);
  CHECK(two->back().pcrs == 0x800000);
  for (const char* const wrong : {"", "md5", "sha256:", "sha256:24", "sha256:3-1", "sha256:0,",
                                  "sha256:-1", "sha256+", "+", "sha256:0-24", "sha256:x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_selection(wrong));
  }
}
