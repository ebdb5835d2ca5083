#include "daemon/server/inheritance_requests.h"

#include "daemon/server/client_record.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

struct Opened {
  std::shared_ptr<FakeLink> link;
  proto::Buffer token;

  [[nodiscard]] ContextId context() const { return ContextId{link->id()}; }
};

Opened open_context(ServerBench& bench, std::uint32_t uid, std::uint16_t version_max = 2,
                    const std::string& cgroup = {}) {
  Opened opened{.link = bench.connect(uid, {}, cgroup), .token = {}};
  opened.link->send_from_client(1, proto::Hello{.version_max = version_max});
  const auto reply = opened.link->take_only<proto::HelloReply>();
  REQUIRE(reply);
  opened.token.assign(reply->token.begin(), reply->token.end());
  return opened;
}

Status inherit(const Opened& heir, const Opened& from, const proto::Buffer& token) {
  heir.link->send_from_client(2, proto::InheritObjects{.context = from.link->id(), .token = token});
  const auto reply = heir.link->take_only<proto::InheritObjectsReply>();
  REQUIRE(reply);
  return reply->status;
}

}  // namespace

TEST_CASE("each context of version two gets a token of its own", "[server][inheritance]") {
  ServerBench bench;
  const Opened first = open_context(bench, 1000);
  const Opened second = open_context(bench, 1000);
  CHECK(first.token.size() == proto::kTokenSize);
  CHECK(first.token != second.token);
  CHECK(open_context(bench, 1000, 1).token.empty());

  const auto observer = bench.connect(1000);
  observer->send_from_client(1, proto::Hello{.role = proto::Role::Observer});
  CHECK(observer->take_only<proto::HelloReply>()->token.empty());
}

TEST_CASE("a machine that has no random numbers yet opens contexts that nobody inherits",
          "[server][inheritance]") {
  ServerBench bench;
  bench.environment.has_random = false;
  const Opened parent = open_context(bench, 1000);
  CHECK(parent.token.empty());
  const Opened child = open_context(bench, 1000);
  for (const auto guess : {std::uint8_t{0}, std::uint8_t{1}}) {
    CHECK(inherit(child, parent, proto::Buffer(proto::kTokenSize, guess)) == Status::AccessDenied);
  }
}

TEST_CASE("who has the token inherits, in the same account or control group",
          "[server][inheritance]") {
  ServerBench bench;
  const Opened parent = open_context(bench, 0, 2, "/system.slice/web.service");
  const auto child_of = [&](std::uint32_t uid, const std::string& cgroup) {
    const Opened child = open_context(bench, uid, 2, cgroup);
    const Status status = inherit(child, parent, parent.token);
    CHECK(bench.sink.heirs.contains(child.context()) == (status == Status::Success));
    return status;
  };
  CHECK(child_of(0, "/elsewhere") == Status::Success);
  CHECK(child_of(33, "/system.slice/web.service") == Status::Success);
  CHECK(child_of(33, "/system.slice/other.service") == Status::AccessDenied);
  CHECK(child_of(33, "") == Status::AccessDenied);
}

TEST_CASE("nobody inherits without the right token", "[server][inheritance]") {
  ServerBench bench;
  const Opened parent = open_context(bench, 1000);
  const Opened thief = open_context(bench, 1000);
  for (std::size_t i = 0; i < parent.token.size(); ++i) {
    proto::Buffer wrong = parent.token;
    wrong[i] ^= 0x80;
    CHECK(inherit(thief, parent, wrong) == Status::AccessDenied);
  }
  CHECK(inherit(thief, parent, thief.token) == Status::AccessDenied);
  CHECK(inherit(thief, parent, proto::Buffer(proto::kTokenSize, 0)) == Status::AccessDenied);
  // An observer has none; neither has a client that is not there.
  const auto observer = bench.observer(1000);
  CHECK(inherit(thief, {.link = observer, .token = {}}, proto::Buffer(proto::kTokenSize, 0)) ==
        Status::AccessDenied);
  const proto::Buffer token = parent.token;
  parent.link->hang_up();
  CHECK(inherit(thief, parent, token) == Status::AccessDenied);
  CHECK(bench.sink.heirs.empty());
  CHECK_FALSE(bench.audit.of(proto::Event::Denied).empty());
}

TEST_CASE("what was submitted before has no part in it", "[server][inheritance]") {
  ServerBench bench;
  const Opened parent = open_context(bench, 1000);
  const Opened child = open_context(bench, 1000);
  const proto::Buffer command = tpm_message(0x17B);
  child.link->send_from_client(5, proto::Submit{.command = command});
  child.link->take();
  CHECK(inherit(child, parent, parent.token) == Status::BadParameter);
  CHECK(bench.sink.heirs.empty());
}

TEST_CASE("the token outlives the process, and older records have none", "[server][inheritance]") {
  server::Client client;
  client.role = proto::Role::Context;
  client.token.fill(7);
  const proto::Buffer record = server::opened_record(client);
  server::Client found;
  REQUIRE(server::read_opened(record, found));
  CHECK(found.token == client.token);

  // The form of before: version 1, without the token and its length.
  proto::Buffer older(record.begin(), record.end() - 4 - proto::kTokenSize);
  const std::string name = "opened";
  older[4 + name.size()] = 1;
  server::Client from_older;
  REQUIRE(server::read_opened(older, from_older));
  CHECK(from_older.role == proto::Role::Context);
  CHECK(from_older.token == server::Client{}.token);
}
