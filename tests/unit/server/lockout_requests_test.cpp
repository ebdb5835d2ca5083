#include "daemon/server/lockout_requests.h"

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

class LockoutBench : public ServerBench {
 public:
  LockoutBench() {
    guard.set_limits({.window = 3600, .per_user = 2, .total = 9});
    guard.restore("1000 1699999000\n1000 1699999500\n1001 1699999900\n",
                  [this](std::string text) { known.push_back(std::move(text)); });
  }

  proto::LockoutStatusReply status(FakeLink& link) {
    link.send_from_client(50, proto::LockoutStatus{});
    return link.take_only<proto::LockoutStatusReply>().value();
  }

  std::vector<std::string> known;
};

}  // namespace

TEST_CASE("an administrator sees whom the guard holds back", "[server][lockout]") {
  LockoutBench bench;
  const auto reply = bench.status(*bench.observer(0));
  CHECK(reply.window == 3600);
  CHECK(reply.per_user == 2);
  CHECK(reply.total == 9);
  REQUIRE(reply.entries.size() == 2);
  CHECK(reply.entries[0].uid == 1000);
  CHECK(reply.entries[0].failures == 2);
  CHECK(reply.entries[0].locked == 1);
  CHECK(reply.entries[0].seconds == 2600);
  CHECK(reply.entries[1].uid == 1001);
  CHECK(reply.entries[1].locked == 0);
}

TEST_CASE("users see themselves", "[server][lockout]") {
  LockoutBench bench;
  const auto reply = bench.status(*bench.observer(1001));
  REQUIRE(reply.entries.size() == 1);
  CHECK(reply.entries[0].uid == 1001);
  CHECK(bench.status(*bench.observer(1002)).entries.empty());
}

TEST_CASE("limits can change while failures are known", "[server][lockout]") {
  LockoutBench bench;
  bench.guard.set_limits({.window = 3600, .per_user = 3, .total = 9});
  const auto reply = bench.status(*bench.observer(1000));
  CHECK(reply.per_user == 3);
  CHECK(reply.entries[0].locked == 0);
}

TEST_CASE("what the TPM says counts where it allows less", "[server][lockout]") {
  LockoutBench bench;
  bench.guard.learn({.counter = 0, .limit = 3, .interval = 600});
  CHECK(bench.status(*bench.observer(0)).per_user == 1);
}

TEST_CASE("an administrator resets one user", "[server][lockout]") {
  LockoutBench bench;
  const auto admin = bench.observer(1002, {kAdminGroup});
  admin->send_from_client(2, proto::LockoutReset{.uid = 1000});
  CHECK(admin->take_only<proto::LockoutResetReply>()->status == Status::Success);
  const auto reply = bench.status(*admin);
  REQUIRE(reply.entries.size() == 1);
  CHECK(reply.entries[0].uid == 1001);
  REQUIRE(bench.known.size() == 1);
  CHECK(bench.known[0].find("\n1001 ") != std::string::npos);
  CHECK(bench.known[0].find("\n1000 ") == std::string::npos);
  REQUIRE(bench.audit.of(proto::Event::Lockout).size() == 1);
  CHECK(bench.audit.of(proto::Event::Lockout)[0].text ==
        "prog (pid 1001, uid 1002) made the lockout guard forget those of uid 1000");
}

TEST_CASE("an administrator resets all", "[server][lockout]") {
  LockoutBench bench;
  const auto admin = bench.observer(0);
  admin->send_from_client(2, proto::LockoutReset{});
  CHECK(admin->take_only<proto::LockoutResetReply>()->status == Status::Success);
  CHECK(bench.status(*admin).entries.empty());
  CHECK(bench.known == std::vector<std::string>{""});
}

TEST_CASE("users reset nothing, themselves included", "[server][lockout]") {
  LockoutBench bench;
  const auto user = bench.observer(1000);
  user->send_from_client(2, proto::LockoutReset{.uid = 1000});
  CHECK(user->take_only<proto::LockoutResetReply>()->status == Status::AccessDenied);
  CHECK(bench.status(*user).entries.size() == 1);
  CHECK(bench.known.empty());
  CHECK(bench.audit.of(proto::Event::Denied).size() == 1);
}
