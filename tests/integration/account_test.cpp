// Who is charged for what: a user with all of its subordinate numbers is one account, accounts that
// have much leave places to others, and administrators have places of their own.

#include <array>
#include <fstream>
#include <functional>
#include <sched.h>
#include <string>
#include <vector>

#include <grp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Role;
using tbs::proto::Status;
namespace proto = tbs::proto;

namespace {

proto::LimitEntry limit(RawClient& observer, const std::string& name) {
  for (auto& entry : observer.ask(proto::ListLimits{}).entries) {
    if (entry.name == name) return entry;
  }
  FAIL("no limit " << name);
  return {};
}

// A user namespace that nobody has made, with a map as newuidmap(1) would write it for subordinate
// numbers; in a process of its own, in which a part of the test runs as the namespace's root.
class Namespace {
 public:
  Namespace(const std::string& map, const std::function<int()>& part) {
    std::array<int, 2> made{};
    std::array<int, 2> mapped{};
    REQUIRE(::pipe(made.data()) == 0);
    REQUIRE(::pipe(mapped.data()) == 0);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) ::_exit(inside(made[1], mapped[0], part));
    char byte = 0;
    ::close(made[1]);
    available_ = ::read(made[0], &byte, 1) == 1;
    if (available_) {
      const std::string folder = "/proc/" + std::to_string(process_) + "/";
      std::ofstream(folder + "uid_map") << map;
      std::ofstream(folder + "gid_map") << map;
    }
    REQUIRE(::write(mapped[1], &byte, 1) == 1);
    for (const int end : {made[0], mapped[0], mapped[1]}) ::close(end);
  }
  ~Namespace() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // False where users may make no namespaces.
  [[nodiscard]] bool available() const { return available_; }

 private:
  static int inside(int made, int mapped, const std::function<int()>& part) {
    ::setgroups(0, nullptr);
    if (::setresgid(kNobody, kNobody, kNobody) != 0) return 1;
    if (::setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    if (::unshare(CLONE_NEWUSER) != 0) return 1;
    char byte = 0;
    if (::write(made, &byte, 1) != 1 || ::read(mapped, &byte, 1) != 1) return 1;
    if (::setresuid(0, 0, 0) != 0) return 2;
    const int result = part();
    ::pause();
    return result;
  }

  pid_t process_ = 0;
  bool available_ = false;
};

}  // namespace

TEST_CASE("a user's subordinate numbers are the user's account") {
  if (!can_become_nobody()) return;
  TestBench bench({.arguments = {"--max-contexts-per-user=5"}});
  RawClient administrator = RawClient::observer(bench.socket());
  const std::string socket = bench.everybodys_socket();
  const auto three_users = [&socket] {
    std::vector<RawClient> clients;
    for (const uid_t user : {0U, 7U, 9U}) {
      if (::seteuid(user) != 0) return 3;
      clients.push_back(RawClient::context(socket));
      if (::seteuid(0) != 0) return 3;
    }
    ::pause();
    return 0;
  };
  const auto map = GENERATE(as<std::string>(), "0 65534 1\n1 100000 1000\n", "0 100000 1000\n");
  INFO(map);
  const Namespace container(map, three_users);
  if (!container.available()) return;
  CHECK(eventually([&] { return limit(administrator, "max-contexts").used == 3; }));
  const proto::LimitEntry most = limit(administrator, "max-contexts-per-user");
  CHECK(most.used == 3);
  CHECK(most.uid == kNobody);
  // Together with what it has under its own number.
  const ConnectingAs other(kNobody);
  std::vector<RawClient> more;
  for (int i = 0; i < 2; ++i) more.push_back(RawClient::context(socket));
  CHECK(RawClient(socket).hello(Role::Context).status == Status::TooManyContexts);
}

TEST_CASE("users who fill all places keep neither a user with few nor an administrator out") {
  if (!can_become_nobody()) return;
  rlimit descriptors{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &descriptors) == 0);
  descriptors.rlim_cur = descriptors.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &descriptors) == 0);
  TestBench bench({.arguments = {"--max-contexts=128", "--max-contexts-per-user=100"}});
  std::vector<RawClient> crowd;
  for (const uid_t user : {20001U, 20002U}) {
    const ConnectingAs other(user);
    for (int i = 0; i < 150; ++i) {
      try {
        crowd.emplace_back(bench.everybodys_socket()).hello(Role::Context);
      } catch (const std::exception&) {
        crowd.pop_back();  // one connection too many
      }
    }
  }
  {
    const ConnectingAs other(20003);
    CHECK(RawClient(bench.everybodys_socket()).hello(Role::Context).status == Status::Success);
  }
  std::vector<RawClient> administrators;
  for (int i = 0; i < 20; ++i) administrators.push_back(RawClient::context(bench.socket()));
  CHECK(administrators.back().call(tpm::get_random(8)).status == Status::Success);
}
