#include "client/tcti/tabrmd/tabrmd_config.h"

#include "tests/support/catch2.h"

using tbs::tcti::parse_tabrmd_config;

TEST_CASE("the bus that programs name is left aside", "[tcti][tabrmd]") {
  for (const std::string text : {"", "bus_name=com.intel.tss2.Tabrmd", "bus_type=session",
                                 "bus_name=com.intel.tss2.Tabrmd,bus_type=system",
                                 "bus_type=", "bus_type=system,bus_type=session,"}) {
    CAPTURE(text);
    const auto config = parse_tabrmd_config(text);
    REQUIRE(config.has_value());
    CHECK(config->socket.empty());
    CHECK(config->priority == 200);
  }
}

TEST_CASE("a socket may be named beside it", "[tcti][tabrmd]") {
  CHECK(parse_tabrmd_config("socket=/s")->socket == "/s");
  CHECK(parse_tabrmd_config("/s")->socket == "/s");
  const auto config = parse_tabrmd_config("bus_type=system,socket=/s,bus_name=x,priority=high");
  REQUIRE(config.has_value());
  CHECK(config->socket == "/s");
  CHECK(config->priority == 300);
}

TEST_CASE("what neither module understands is refused with a reason", "[tcti][tabrmd]") {
  for (const std::string text : {"bus=x", "bus_type=system,priority=urgent", "socket="}) {
    CAPTURE(text);
    const auto config = parse_tabrmd_config(text);
    REQUIRE_FALSE(config.has_value());
    CHECK_FALSE(config.error().empty());
  }
}
