#include "daemon/host/inherited_descriptors.h"

#include <array>
#include <ranges>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/support/temp_folder.h"
#include "tests/integration/support/unix_socket.h"
#include "tests/support/catch2.h"

using namespace tbs;
using Kind = host::LeftName::Kind;

namespace {

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

int some_descriptor() {
  const int descriptor = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  return descriptor;
}

}  // namespace

TEST_CASE("what listens is a socket, and the rest is told apart by its name", "[host][store]") {
  const test::TempFolder folder;
  const int everybodys = test::listen_on(folder / "a.sock");
  // A socket unit may have any name.
  const int other = test::listen_on(folder / "b.sock");
  std::array<int, 2> client{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client.data()) == 0);
  const int record = some_descriptor();
  const int node = some_descriptor();
  const auto sorted = host::sort_descriptors({{"everybody", everybodys},
                                              {"client-3@alice", client[0]},
                                              {"record", other},
                                              {"record", record},
                                              {"tpm-node", node}});
  REQUIRE(sorted.sockets.size() == 2);
  CHECK(sorted.sockets[0].descriptor == everybodys);
  CHECK(sorted.sockets[0].name == "everybody");
  CHECK(sorted.sockets[1].descriptor == other);
  REQUIRE(sorted.left.size() == 3);
  CHECK(sorted.left[0].name ==
        host::LeftName{.kind = Kind::Client, .number = 3, .tenant = "alice"});
  CHECK(sorted.left[0].descriptor == client[0]);
  CHECK(sorted.left[1].name == host::LeftName{});
  CHECK(sorted.left[1].descriptor == record);
  CHECK(sorted.left[2].name == host::LeftName{.kind = Kind::Tpm, .part = "node"});
  CHECK(sorted.refused.empty());
  for (const int descriptor : {everybodys, other, client[0], client[1], record, node}) {
    CHECK(::close(descriptor) == 0);
  }
}

TEST_CASE("a descriptor without a known name is closed and told of", "[host][store]") {
  const int one = some_descriptor();
  const int two = some_descriptor();
  const auto sorted = host::sort_descriptors({{"stored", one}, {"client-x", two}});
  CHECK(sorted.left.empty());
  CHECK(sorted.refused == std::vector<std::string>{"stored", "client-x"});
  CHECK_FALSE(is_open(one));
  CHECK_FALSE(is_open(two));
}

TEST_CASE("of two descriptors with one name the first is used", "[host][store]") {
  const int one = some_descriptor();
  const int two = some_descriptor();
  const auto sorted = host::sort_descriptors({{"client-1", one}, {"client-1", two}});
  REQUIRE(sorted.left.size() == 1);
  CHECK(sorted.left[0].descriptor == one);
  CHECK_FALSE(is_open(two));
  // By that name the service manager would remove both.
  CHECK(sorted.refused.empty());
  CHECK(::close(one) == 0);
}

TEST_CASE("without a service manager nothing is inherited", "[host][store]") {
  ::unsetenv("LISTEN_FDS");
  const auto all = host::inherited_descriptors();
  CHECK(all.sockets.empty());
  CHECK(all.left.empty());
}
