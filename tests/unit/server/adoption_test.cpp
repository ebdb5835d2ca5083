// Clients of the process before this one.

#include "daemon/server/client_record.h"
#include "daemon/server/server.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using proto::Status;
using server::Client;
using server::Peer;

namespace {

using test::FakeLink;
using test::ServerBench;

constexpr std::uint32_t kUser = 1000;

Peer peer_of_user() {
  Peer peer{.principal = principal_of(UserId{kUser}), .pid = 4711};
  peer.subject.uid = kUser;
  peer.subject.gids = {5, 6};
  peer.subject.unit = "some.service";
  peer.subject.cgroup = "/system.slice/some.service";
  peer.program = "prog";
  return peer;
}

proto::Buffer opened_as(proto::Role role) {
  Client client;
  client.role = role;
  client.wanted = proto::kWantTpm20;
  client.earlier_connections = 2;
  client.peer.principal = principal_of(UserId{kUser});
  return server::opened_record(client);
}

struct Bench : ServerBench {
  std::shared_ptr<FakeLink> adopt(std::uint64_t id, proto::Bytes opened) {
    auto link = std::make_shared<FakeLink>(id, server);
    REQUIRE(server.adopt(id, link, peer_of_user(), opened));
    return link;
  }
};

}  // namespace

TEST_CASE("a peer comes back from its record", "[server][adoption]") {
  Peer peer = peer_of_user();
  peer.socket = server::administrators_profile();
  const auto found = server::read_peer(server::peer_record(peer));
  REQUIRE(found);
  CHECK(found->highest == server::HighestRole::Administrator);
  CHECK(found->tenant.empty());
  CHECK(found->peer.principal == peer.principal);
  CHECK(found->peer.pid == peer.pid);
  CHECK(found->peer.subject.uid == kUser);
  CHECK(found->peer.subject.gids == peer.subject.gids);
  CHECK(found->peer.subject.unit == peer.subject.unit);
  CHECK(found->peer.subject.cgroup == peer.subject.cgroup);
  CHECK(found->peer.program == peer.program);
}

TEST_CASE("records that end too early or have too much are refused", "[server][adoption]") {
  proto::Buffer peer = server::peer_record(peer_of_user());
  proto::Buffer opened = opened_as(proto::Role::Context);
  Client client;
  REQUIRE(server::read_opened(opened, client));
  for (std::size_t size = 0; size < peer.size(); ++size) {
    CHECK_FALSE(server::read_peer(proto::Bytes(peer).first(size)));
  }
  for (std::size_t size = 0; size < opened.size(); ++size) {
    CHECK_FALSE(server::read_opened(proto::Bytes(opened).first(size), client));
  }
  peer.push_back(0);
  opened.push_back(0);
  CHECK_FALSE(server::read_peer(peer));
  CHECK_FALSE(server::read_opened(opened, client));
}

TEST_CASE("an adopted context goes on without a hello", "[server][adoption]") {
  Bench bench;
  const auto link = bench.adopt(40, opened_as(proto::Role::Context));
  CHECK(bench.sink.open.empty());  // the engine knows it
  CHECK(bench.server.admission().contexts().of(account_of(UserId{kUser})) == 1);
  link->send_from_client(7, proto::Submit{.priority = 200, .command = test::kShortCommand});
  REQUIRE(bench.sink.outstanding.size() == 1);
  CHECK(bench.sink.outstanding[0]->context() == ContextId{40});
  link->hang_up();
  CHECK(bench.server.admission().contexts().total() == 0);
  CHECK(bench.server.admission().connections().total() == 0);
}

TEST_CASE("an adopted observer is no context", "[server][adoption]") {
  Bench bench;
  const auto link = bench.adopt(40, opened_as(proto::Role::Observer));
  CHECK(bench.server.admission().contexts().total() == 0);
  link->send_from_client(7, proto::DaemonStatus{});
  CHECK(link->take_only<proto::DaemonStatusReply>());
}

TEST_CASE("who had not said hello says it to the successor", "[server][adoption]") {
  Bench bench;
  const auto link = bench.adopt(40, {});
  link->send_from_client(1,
                         proto::Hello{.role = proto::Role::Context, .wanted = proto::kWantTpm20});
  const auto reply = link->take_only<proto::HelloReply>();
  REQUIRE(reply);
  CHECK(reply->context == 40);
}

TEST_CASE("a command that the engine has is answered once", "[server][adoption]") {
  Bench bench;
  const auto link = bench.adopt(40, opened_as(proto::Role::Context));
  bench.server.adopt_command(
      40, proto::Type::Submit,
      test::client_command({.context = ContextId{40}, .request = RequestId{7}}));
  CHECK(bench.sink.outstanding.empty());
  const sched::Answer answer{.context = ContextId{40},
                             .request = RequestId{7},
                             .status = Status::CommandCanceled,
                             .response = {}};
  bench.server.deliver(answer);
  const auto result = link->take_only<proto::Result>();
  REQUIRE(result);
  CHECK(result->status == Status::CommandCanceled);
  bench.server.deliver(answer);
  CHECK(link->take().empty());
}

TEST_CASE("a record of no sense makes no client", "[server][adoption]") {
  Bench bench;
  auto link = std::make_shared<FakeLink>(40, bench.server);
  CHECK_FALSE(bench.server.adopt(40, link, peer_of_user(), proto::Buffer{1}));
  CHECK(bench.server.admission().connections().total() == 0);
}
