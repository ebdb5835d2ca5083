#include "client/socket_path.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch2.h"

using namespace tbs::client;

TEST_CASE("the caller's path comes before the process's, the environment's and the fixed one",
          "[client][path]") {
  ::unsetenv("TBS_SOCKET");
  const std::string fixed = socket_with_most_rights();
  REQUIRE(socket_path() == fixed);
  ::setenv("TBS_SOCKET", "/from/environment", 1);
  REQUIRE(socket_path() == "/from/environment");
  choose_process_socket("/from/process");
  REQUIRE(socket_path() == "/from/process");
  REQUIRE(socket_path("/from/caller") == "/from/caller");
  choose_process_socket("");
  REQUIRE(socket_path() == "/from/environment");
  ::setenv("TBS_SOCKET", "", 1);
  REQUIRE(socket_path() == fixed);
  ::unsetenv("TBS_SOCKET");
}

TEST_CASE("the administrators' socket is for who may open it", "[client][path]") {
  std::string folder = std::filesystem::temp_directory_path() / "tbs-path-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string admin = folder + "/admin.sock";
  CHECK(socket_with_most_rights(admin, "/everybodys") == "/everybodys");
  std::ofstream(admin) << "";
  CHECK(socket_with_most_rights(admin, "/everybodys") == admin);
  std::filesystem::remove_all(folder);
  CHECK(kAdminSocket == "/run/tbs/admin.sock");
  CHECK(kDefaultSocket == "/run/tbs/tbsd.sock");
}

TEST_CASE("what a socket address cannot hold is no path", "[client][path]") {
  REQUIRE(is_socket_path("/s"));
  REQUIRE(is_socket_path(std::string(107, 'a')));
  REQUIRE_FALSE(is_socket_path(std::string(108, 'a')));
  REQUIRE_FALSE(is_socket_path(""));
  REQUIRE_FALSE(is_socket_path(std::string_view("\0abstract", 9)));
}
