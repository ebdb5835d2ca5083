#include "client/tcti/tcti_config.h"

#include "tests/support/catch2.h"

using tbs::tcti::parse_config;

TEST_CASE("nothing means the usual socket and priority", "[tcti][config]") {
  const auto config = parse_config("");
  REQUIRE(config.has_value());
  REQUIRE(config->socket.empty());
  REQUIRE(config->priority == 200);
}

TEST_CASE("a path alone is the socket, whatever it is made of", "[tcti][config]") {
  for (const std::string path : {"/run/tbs/tbsd.sock", "tbsd.sock", "/a=b/c,d", "./socket=x"}) {
    const auto config = parse_config(path);
    REQUIRE(config.has_value());
    REQUIRE(config->socket == path);
    REQUIRE(config->priority == 200);
  }
}

TEST_CASE("keys and values", "[tcti][config]") {
  REQUIRE(parse_config("socket=/s")->socket == "/s");
  REQUIRE(parse_config("priority=low")->priority == 100);
  REQUIRE(parse_config("priority=normal")->priority == 200);
  REQUIRE(parse_config("priority=high")->priority == 300);
  REQUIRE(parse_config("priority=0")->priority == 0);
  REQUIRE(parse_config("priority=4294967295")->priority == 0xffffffffU);
  REQUIRE(parse_config("priority=0x80000000")->priority == 0x80000000U);
  const auto both = parse_config("socket=/a=b,priority=7");
  REQUIRE(both->socket == "/a=b");
  REQUIRE(both->priority == 7);
  REQUIRE(parse_config("priority=7,socket=/s")->socket == "/s");
}

TEST_CASE("what is not understood is refused with a reason", "[tcti][config]") {
  for (const std::string wrong :
       {"priority=", "priority=urgent", "priority=-1", "priority=4294967296", "priority=7x",
        "priority=0x", "socket=", "device=/dev/tpm0", "socket=/s,,priority=7", "priority=7,prio=8",
        "=", "Socket=/s"}) {
    CAPTURE(wrong);
    const auto config = parse_config(wrong);
    REQUIRE_FALSE(config.has_value());
    REQUIRE_FALSE(config.error().empty());
  }
  REQUIRE_FALSE(parse_config(std::string(108, '/')).has_value());
  REQUIRE_FALSE(parse_config("socket=" + std::string(108, '/')).has_value());
}
