#include "client/tbsctl/text/timestamp.h"

#include <cstdlib>
#include <ctime>

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("moments in UTC", "[tbsctl][text]") {
  CHECK(utc_time(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(utc_time(1'772'366'400'123'456) == "2026-03-01T12:00:00.123456Z");
}

TEST_CASE("moments in a time zone", "[tbsctl][text]") {
  const char* const before = std::getenv("TZ");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TZ", "TST-5:30", 1);
  ::tzset();
  CHECK(local_time(1'772'366'400'123'456) == "2026-03-01 17:30:00.123");
  before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", saved.c_str(), 1);
  ::tzset();
}
