#include "daemon/server/handshake.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Role;
using proto::Status;

namespace {

// Has handed over a socket when the test says so.
struct SlowKeeper final : server::ClientKeeper {
  bool keep_socket(std::uint64_t /*id*/, std::move_only_function<void()> go_on) override {
    waiting.push_back(std::move(go_on));
    return false;
  }
  void opened(const server::Client& /*client*/) override { ++opened_clients; }
  void connected(std::uint64_t, const server::Peer&, int) override {}
  void gone(std::uint64_t) override {}
  void handed_over(proto::Bytes) override {}
  std::expected<proto::Bytes, int> receive(std::uint64_t, int, std::size_t) override { return {}; }
  void handled(std::uint64_t, std::size_t) override {}
  void queued(std::uint64_t, proto::Bytes) override {}
  std::expected<std::size_t, int> send(std::uint64_t, int, proto::Bytes) override { return 0; }

  std::vector<std::move_only_function<void()>> waiting;
  int opened_clients = 0;
};

}  // namespace

TEST_CASE("a hello opens a context", "[server][handshake]") {
  ServerBench bench;
  const auto link = bench.connect(1000);
  link->send_from_client(42, proto::Hello{.role = Role::Context});
  const auto reply = link->take_only<proto::HelloReply>();
  REQUIRE(reply);
  CHECK(reply->status == Status::Success);
  CHECK(reply->context == link->id());
  CHECK(reply->version == proto::kProtocolVersion);
  CHECK(reply->window == proto::kWindow);
  CHECK(reply->max_command == 4096);
  CHECK(reply->max_response == 4096);
  CHECK(bench.sink.open.at(ContextId{link->id()}) == principal_of(UserId{1000}));
  CHECK(bench.server.admission().contexts().total() == 1);
  REQUIRE(bench.audit.of(proto::Event::Connected).size() == 1);
  CHECK(bench.audit.entries[0].level == spdlog::level::debug);
}

TEST_CASE("a client that has lost connections gets other handles", "[server][handshake]") {
  ServerBench bench;
  const auto link = bench.connect(1000);
  link->send_from_client(1, proto::Hello{.role = Role::Context, .earlier = 3});
  CHECK(bench.sink.skipped.at(ContextId{link->id()}) == 3);
  bench.context(1000);
  CHECK(bench.sink.skipped.size() == 1);
}

TEST_CASE("an observer has no context", "[server][handshake]") {
  ServerBench bench;
  const auto link = bench.connect(1000);
  link->send_from_client(42, proto::Hello{.role = Role::Observer});
  const auto reply = link->take_only<proto::HelloReply>();
  REQUIRE(reply);
  CHECK(reply->status == Status::Success);
  CHECK(reply->context == 0);
  CHECK(bench.sink.open.empty());
  CHECK(bench.server.admission().contexts().total() == 0);
}

TEST_CASE("a hello of another version or role ends the connection", "[server][handshake]") {
  const auto hello = GENERATE(proto::Hello{.version_min = 3, .version_max = 9},
                              proto::Hello{.version_min = 0, .version_max = 0},
                              proto::Hello{.role = static_cast<Role>(0)},
                              proto::Hello{.role = static_cast<Role>(3)});
  ServerBench bench;
  const auto link = bench.connect(1000);
  link->send_from_client(1, hello);
  CHECK(link->closed());
  const auto refusal = link->take_only<proto::Refusal>();
  REQUIRE(refusal);
  CHECK(refusal->status == Status::InvalidContextParam);
  CHECK(bench.server.admission().connections().total() == 0);
}

TEST_CASE("a hello of a range of versions that has ours is fine", "[server][handshake]") {
  ServerBench bench;
  const auto link = bench.connect(1000);
  link->send_from_client(1, proto::Hello{.version_min = 0, .version_max = 7});
  CHECK(link->take_only<proto::HelloReply>()->version == 2);
  const auto older = bench.connect(1000);
  older->send_from_client(1, proto::Hello{.version_min = 1, .version_max = 1});
  CHECK(older->take_only<proto::HelloReply>()->version == 1);
}

TEST_CASE("a context waits until the TPM was started, an observer does not",
          "[server][handshake]") {
  ServerBench bench;
  bench.sink.view.state = proto::DeviceState::Starting;
  const auto context = bench.connect(1000);
  const auto observer = bench.connect(1000);
  context->send_from_client(1, proto::Hello{.role = Role::Context});
  observer->send_from_client(1, proto::Hello{.role = Role::Observer});
  CHECK(context->take().empty());
  CHECK(observer->take_only<proto::HelloReply>().has_value());
  bench.sink.view.state = proto::DeviceState::Ready;
  bench.server.device_changed();
  CHECK(context->take_only<proto::HelloReply>()->context == context->id());
  bench.server.device_changed();
  CHECK(context->take().empty());
}

TEST_CASE("a hello is answered when the socket is in safe hands", "[server][handshake]") {
  ServerBench bench;
  SlowKeeper keeper;
  bench.server.set_keeper(&keeper);
  const auto link = bench.connect(1000);
  const auto leaves = bench.connect(1000);
  link->send_from_client(1, proto::Hello{});
  leaves->send_from_client(1, proto::Hello{});
  REQUIRE(keeper.waiting.size() == 2);
  CHECK(link->take().empty());
  CHECK(bench.sink.open.empty());
  CHECK(keeper.opened_clients == 0);
  // It may say nothing meanwhile, and nothing happens for who has left.
  leaves->send_from_client(2, proto::DaemonStatus{});
  CHECK(leaves->closed());
  bench.server.device_changed();
  for (auto& go_on : keeper.waiting) go_on();
  CHECK(link->take_only<proto::HelloReply>()->context == link->id());
  CHECK(bench.sink.open.size() == 1);
  CHECK(keeper.opened_clients == 1);
  bench.server.set_keeper(nullptr);
}

TEST_CASE("who waits for the TPM may say nothing else", "[server][handshake]") {
  ServerBench bench;
  bench.sink.view.state = proto::DeviceState::Starting;
  const auto link = bench.connect(1000);
  link->send_from_client(1, proto::Hello{});
  link->send_from_client(2, proto::DaemonStatus{});
  CHECK(link->closed());
  bench.server.device_changed();
  CHECK(bench.sink.open.empty());
}

TEST_CASE("without a TPM a context is refused with the reason", "[server][handshake]") {
  ServerBench bench;
  bench.sink.tpm = {};
  bench.sink.view.state = proto::DeviceState::Down;
  const auto link = bench.connect(1000);
  link->send_from_client(1, proto::Hello{});
  CHECK(link->take_only<proto::HelloReply>()->status == Status::TpmNotFound);
  CHECK_FALSE(link->closed());
  // It may look at the daemon, and has no TPM to submit to.
  link->send_from_client(2, proto::DaemonStatus{});
  CHECK(link->take_only<proto::DaemonStatusReply>().has_value());
  link->send_from_client(3, proto::Cancel{});
  CHECK(link->take_only<proto::Refusal>()->status == Status::InvalidContext);
}

TEST_CASE("a context gets no TPM of a family it does not want", "[server][handshake]") {
  ServerBench bench;
  bench.sink.tpm.family = Family::Tpm12;
  const auto link = bench.connect(1000);
  link->send_from_client(1, proto::Hello{.wanted = proto::kWantTpm20});
  CHECK(link->take_only<proto::HelloReply>()->status == Status::TpmNotFound);
  const auto both = bench.connect(1000);
  both->send_from_client(1, proto::Hello{.wanted = proto::kWantTpm20 | proto::kWantTpm12});
  CHECK(both->take_only<proto::HelloReply>()->status == Status::Success);
}

TEST_CASE("who says nothing is disconnected", "[server][handshake]") {
  ServerBench bench;
  const auto silent = bench.connect(1000);
  bench.environment.time += std::chrono::seconds(2);
  const auto late = bench.connect(1001);
  REQUIRE(bench.server.next_deadline() == TimePoint{} + server::kHandshakeDeadline);
  bench.environment.time += std::chrono::milliseconds(2999);
  bench.server.tick();
  CHECK_FALSE(silent->closed());
  bench.environment.time += std::chrono::milliseconds(1);
  bench.server.tick();
  CHECK(silent->closed());
  CHECK(silent->take_only<proto::Refusal>()->reason == "no hello within 5 s");
  CHECK_FALSE(late->closed());
  CHECK(bench.server.next_deadline() ==
        TimePoint{} + std::chrono::seconds(2) + server::kHandshakeDeadline);
}

TEST_CASE("who has said hello or gone has no deadline", "[server][handshake]") {
  ServerBench bench;
  bench.connect(1000)->hang_up();
  CHECK_FALSE(bench.server.next_deadline());
  bench.observer(1000);
  CHECK_FALSE(bench.server.next_deadline());
}

TEST_CASE("questions about the TPM", "[server][handshake]") {
  ServerBench bench;
  const auto link = bench.observer(1000);
  link->send_from_client(9, proto::DeviceInfo{});
  const auto reply = link->take_only<proto::DeviceInfoReply>();
  REQUIRE(reply);
  CHECK(reply->status == Status::Success);
  CHECK(reply->tpm_version == 2);
  CHECK(reply->interface_type == 3);
  CHECK(reply->revision == 138);
  CHECK(reply->manufacturer == "IBM");
  CHECK(reply->device == "/dev/tpm7");
  CHECK(reply->max_command == 4096);
}

TEST_CASE("a TPM's buffers are told as it tells them", "[server][handshake]") {
  ServerBench bench;
  bench.sink.view.max_command = 8192;
  bench.sink.view.max_response = 8000;
  const auto [told, shown_command, shown_response] =
      GENERATE(table<std::uint32_t, std::uint32_t, std::uint32_t>(
          {{1280, 1280, 1280}, {8192, 8192, 8000}, {0, 8192, 8000}}));
  bench.sink.tpm.max_command = bench.sink.tpm.max_response = told;
  const auto link = bench.observer(1000);
  link->send_from_client(9, proto::DeviceInfo{});
  const auto reply = link->take_only<proto::DeviceInfoReply>();
  REQUIRE(reply);
  CHECK(reply->max_command == shown_command);
  CHECK(reply->max_response == shown_response);
  const auto context = bench.connect(1000);
  context->send_from_client(42, proto::Hello{.role = Role::Context});
  const auto hello = context->take_only<proto::HelloReply>();
  REQUIRE(hello);
  CHECK(hello->max_command == 8192);
  CHECK(hello->max_response == 8000);
}

TEST_CASE("a question about the TPM waits until it was started", "[server][handshake]") {
  ServerBench bench;
  bench.sink.view.state = proto::DeviceState::Starting;
  bench.sink.tpm = {};
  const auto link = bench.observer(1000);
  link->send_from_client(9, proto::DeviceInfo{});
  link->send_from_client(10, proto::DaemonStatus{});
  CHECK(link->take().empty());
  bench.sink.view.state = proto::DeviceState::Down;
  bench.server.device_changed();
  const auto& received = link->take();
  REQUIRE(received.size() == 2);
  CHECK(received[0].request_id == 9);
  CHECK(received[0].as<proto::DeviceInfoReply>()->status == Status::TpmNotFound);
  CHECK(received[0].as<proto::DeviceInfoReply>()->tpm_version == 0);
  CHECK(received[1].as<proto::DaemonStatusReply>().has_value());
}

TEST_CASE("deadlines end in the order in which they began", "[server][handshake]") {
  server::HandshakeDeadlines deadlines;
  CHECK_FALSE(deadlines.next());
  const TimePoint start{};
  deadlines.start(1, start);
  deadlines.start(2, start + std::chrono::seconds(1));
  deadlines.start(3, start + std::chrono::seconds(2));
  deadlines.end(2);
  deadlines.end(7);
  CHECK(deadlines.take_missed(start).empty());
  CHECK(deadlines.take_missed(start + std::chrono::seconds(7)) == std::vector<std::uint64_t>{1, 3});
  CHECK_FALSE(deadlines.next());
}
