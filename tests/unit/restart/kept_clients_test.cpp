#include "daemon/restart/kept_clients.h"

#include "proto/message_codec.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::restart;

namespace {

constexpr std::uint64_t kClient = 7;

template <typename Message>
proto::Buffer frame(std::uint64_t request, Message message) {
  proto::Buffer bytes;
  proto::append_frame(bytes, request, std::move(message));
  return bytes;
}

proto::Buffer request(std::uint64_t id) {
  return frame(id, proto::Cancel{});
}
proto::Buffer answer(std::uint64_t id) {
  return frame(id, proto::CancelReply{.status = proto::Status::Success});
}

struct Bench {
  Bench() { REQUIRE(clients.connected(kClient, proto::Buffer{1})); }
  void handle(std::uint64_t id) {
    const proto::Buffer bytes = request(id);
    REQUIRE(clients.received(kClient, bytes));
    REQUIRE(clients.handled(kClient, bytes.size()));
  }
  [[nodiscard]] std::vector<std::uint64_t> unanswered() const {
    std::vector<std::uint64_t> ids;
    for (const KeptRequest& one : clients.find(kClient)->requests) ids.push_back(one.id);
    return ids;
  }
  KeptClients clients;
};

using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a request is kept from its handling to its answer", "[restart][clients]") {
  Bench bench;
  const proto::Buffer first = request(1);
  REQUIRE(bench.clients.received(kClient, first));
  CHECK(bench.unanswered().empty());
  CHECK(bench.clients.find(kClient)->input.size() == first.size());
  REQUIRE(bench.clients.handled(kClient, first.size()));
  CHECK(bench.unanswered() == Ids{1});
  CHECK(bench.clients.find(kClient)->requests[0].frame == first);
  CHECK(bench.clients.find(kClient)->input.size() == 0);
  REQUIRE(bench.clients.queued(kClient, answer(1)));
  CHECK(bench.unanswered().empty());
}

TEST_CASE("answers come in any order, and several at once", "[restart][clients]") {
  Bench bench;
  for (const std::uint64_t id : Ids{1, 2, 3}) bench.handle(id);
  proto::Buffer both = answer(3);
  const proto::Buffer other = answer(1);
  both.insert(both.end(), other.begin(), other.end());
  REQUIRE(bench.clients.queued(kClient, both));
  CHECK(bench.unanswered() == Ids{2});
  CHECK(bench.clients.find(kClient)->output.size() == both.size());
}

TEST_CASE("what was sent is no longer kept", "[restart][clients]") {
  Bench bench;
  bench.handle(1);
  const proto::Buffer bytes = answer(1);
  REQUIRE(bench.clients.queued(kClient, bytes));
  REQUIRE(bench.clients.sent(kClient, 5));
  const proto::Bytes rest = bench.clients.find(kClient)->output.bytes();
  CHECK(proto::Buffer(rest.begin(), rest.end()) == proto::Buffer(bytes.begin() + 5, bytes.end()));
  REQUIRE(bench.clients.sent(kClient, bytes.size() - 5));
  CHECK_FALSE(bench.clients.sent(kClient, 1));
}

TEST_CASE("events that make no sense are refused", "[restart][clients]") {
  Bench bench;
  CHECK_FALSE(bench.clients.connected(kClient, proto::Buffer{1}));
  CHECK_FALSE(bench.clients.received(8, proto::Buffer{1}));
  CHECK_FALSE(bench.clients.opened(8, proto::Buffer{1}));
  CHECK_FALSE(bench.clients.opened(kClient, proto::Bytes{}));
  CHECK_FALSE(bench.clients.handled(kClient, 1));
  CHECK_FALSE(bench.clients.queued(kClient, proto::Buffer{1, 2, 3}));
  CHECK_FALSE(bench.clients.gone(8));
  CHECK(bench.clients.gone(kClient));
  CHECK(bench.clients.find(kClient) == nullptr);
  Bench other;
  const proto::Buffer bytes = request(1);
  REQUIRE(other.clients.received(kClient, bytes));
  CHECK_FALSE(other.clients.handled(kClient, bytes.size() - 1));
}

TEST_CASE("an answer ends a request of its own kind", "[restart][clients]") {
  Bench bench;
  bench.handle(1);
  proto::Buffer other;
  proto::append_frame(other, 1, proto::Result{.status = proto::Status::Success, .response = {}});
  REQUIRE(bench.clients.queued(kClient, other));
  CHECK(bench.unanswered() == Ids{1});
}

TEST_CASE("the highest number is remembered when its client has gone", "[restart][clients]") {
  Bench bench;
  REQUIRE(bench.clients.connected(9, proto::Buffer{1}));
  REQUIRE(bench.clients.gone(9));
  CHECK(bench.clients.last() == 9);
  bench.clients.note_last(8);
  CHECK(bench.clients.last() == 9);
}

TEST_CASE("requests are written down in their order", "[restart][clients]") {
  Bench bench;
  CHECK(bench.clients.unanswered(kClient, 4, request(9)));
  CHECK_FALSE(bench.clients.unanswered(kClient, 4, request(10)));
  CHECK(bench.clients.unanswered(kClient, 5, request(10)));
  bench.handle(11);
  CHECK(bench.clients.find(kClient)->requests.back().order == 6);
}
