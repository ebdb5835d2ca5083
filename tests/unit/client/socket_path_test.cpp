#include "client/socket_path.h"

#include <cstdlib>

#include <catch2/catch.hpp>

using namespace tbs::client;

TEST_CASE("the caller's path comes before the process's, the environment's and the fixed one",
          "[client][path]") {
  ::unsetenv("TBS_SOCKET");
  REQUIRE(socket_path() == "/run/tbs/tbsd.sock");
  ::setenv("TBS_SOCKET", "/from/environment", 1);
  REQUIRE(socket_path() == "/from/environment");
  choose_process_socket("/from/process");
  REQUIRE(socket_path() == "/from/process");
  REQUIRE(socket_path("/from/caller") == "/from/caller");
  choose_process_socket("");
  REQUIRE(socket_path() == "/from/environment");
  ::setenv("TBS_SOCKET", "", 1);
  REQUIRE(socket_path() == "/run/tbs/tbsd.sock");
  ::unsetenv("TBS_SOCKET");
}

TEST_CASE("what a socket address cannot hold is no path", "[client][path]") {
  REQUIRE(is_socket_path("/s"));
  REQUIRE(is_socket_path(std::string(107, 'a')));
  REQUIRE_FALSE(is_socket_path(std::string(108, 'a')));
  REQUIRE_FALSE(is_socket_path(""));
  REQUIRE_FALSE(is_socket_path(std::string_view("\0abstract", 9)));
}
