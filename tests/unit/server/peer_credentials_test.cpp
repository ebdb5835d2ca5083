#include "daemon/server/peer_credentials.h"

#include <array>
#include <string>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/catch2.h"

using namespace tbs;

namespace {

// A connection of this process with itself.
class Pair {
 public:
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) == 0); }
  ~Pair() {
    for (const int end : ends_) ::close(end);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  [[nodiscard]] int end() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
};

struct Accounts {
  boost::asio::io_context io;
  server::AccountFinder finder{io};
};

class Named {
 public:
  explicit Named(const char* name) {
    ::prctl(PR_GET_NAME, before_.data());
    ::prctl(PR_SET_NAME, name);
  }
  ~Named() { ::prctl(PR_SET_NAME, before_.data()); }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

 private:
  std::array<char, 16> before_{};
};

}  // namespace

TEST_CASE("what a program calls itself steers nobody's terminal", "[server][peer]") {
  const Pair pair;
  const Named named("a\x1b[m\xc2\x9b\x80\xff\x7f\xe2\x80\xae");
  Accounts accounts;
  const auto peer = server::peer_of(pair.end(), accounts.finder);
  REQUIRE(peer.has_value());
  CHECK(peer->pid == ::getpid());
  CHECK(peer->principal.user == UserId{::getuid()});
  CHECK(peer->program == "a?[m?????");
}

TEST_CASE("a name that can be read stays", "[server][peer]") {
  const Pair pair;
  const Named named("schl\xc3\xbcssel");
  Accounts accounts;
  CHECK(server::peer_of(pair.end(), accounts.finder)->program == "schl\xc3\xbcssel");
}
