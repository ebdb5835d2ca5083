// A context over the end of its connection. The daemon is played; client_restart_test.cpp of the
// integration tests has a real one.

#include "client/context.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <poll.h>

#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using namespace tbs::client;
using proto::Status;
using test::FakeDaemon;
using test::Peer;
using test::tpm_message;

namespace {

// A folder for a daemon that comes and goes.
class Place {
 public:
  Place() {
    char folder[] = "/tmp/tbs-test-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    folder_ = folder;
  }
  ~Place() { std::filesystem::remove_all(folder_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] std::string socket() const { return folder_ + "/socket"; }

 private:
  std::string folder_;
};

std::shared_ptr<Context> open_context(const std::string& path,
                                      std::uint32_t wanted = proto::kWantTpm20) {
  auto context = Context::open(path, wanted);
  REQUIRE(context.has_value());
  return *context;
}

Status submit(Context& context, const proto::Buffer& command = tpm_message(1)) {
  proto::Buffer response(4096);
  std::size_t size = 0;
  const Status status = context.submit({0, 200, command}, response, size);
  response.resize(size);
  // No assertion: threads call this.
  const bool of_another = status == Status::Success && response != command;
  return of_another ? Status::InternalError : status;
}

bool readable(int descriptor, int milliseconds) {
  return wait_for(descriptor, POLLIN, Clock::now() + std::chrono::milliseconds(milliseconds));
}

// Says hello, and lets the connection go when the first frame comes.
void leave_at_first(Peer& peer) {
  if (peer.handshake(test::usual_terms())) peer.next();
}

}  // namespace

TEST_CASE("after the end of a connection the next call has a new one", "[client][context]") {
  Place place;
  std::optional<FakeDaemon> daemon(std::in_place, test::echo, place.socket());
  const auto context = open_context(place.socket());
  CHECK(submit(*context) == Status::Success);
  CHECK(context->reconnections() == 0);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    daemon.reset();
    // As often as one likes.
    CHECK(submit(*context) == Status::ServiceNotRunning);
    CHECK(submit(*context) == Status::ServiceNotRunning);
    CHECK(context->begin({0, 0, tpm_message(1)}).error() == Status::ServiceNotRunning);
    CHECK(context->make_sticky(1, true) == Status::ServiceNotRunning);
    CHECK(context->ask(proto::ReadLog{}, {}).error() == Status::ServiceNotRunning);
    // Nothing is open, so there is nothing to cancel.
    CHECK(context->cancel() == Status::Success);
    daemon.emplace(test::echo, place.socket());
    CHECK(submit(*context) == Status::Success);
    CHECK(context->reconnections() == round);
  }
}

TEST_CASE("a new connection is asked for what the first one was", "[client][context]") {
  std::vector<proto::Hello> hellos;
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    const auto frame = peer.next();
    hellos.push_back(*proto::decode<proto::Hello>(frame->payload));
    auto terms = test::usual_terms();
    terms.context = static_cast<std::uint64_t>(++connections);
    terms.max_command = connections == 1 ? 4096 : 100;
    peer.send(frame->request_id, terms);
    if (const auto command = peer.next(); connections < 3 || !command) return;
    peer.next();
  });
  const auto context = open_context(daemon.path(), proto::kWantTpm12);
  CHECK(submit(*context) == Status::IoError);
  CHECK(submit(*context) == Status::IoError);
  CHECK(context->terms().context == 2);
  CHECK(context->terms().max_command == 100);
  REQUIRE(hellos.size() == 2);
  for (const proto::Hello& hello : hellos) {
    CHECK(hello.role == proto::Role::Context);
    CHECK(hello.wanted == proto::kWantTpm12);
    CHECK(hello.version_min == proto::kOldestVersion);
    CHECK(hello.version_max == proto::kProtocolVersion);
  }
  CHECK(hellos[0].earlier == 0);
  CHECK(hellos[1].earlier == 1);
}

TEST_CASE("a command that the daemon may have had is not sent again", "[client][context]") {
  std::atomic<int> commands = 0;
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    ++connections;
    if (!peer.handshake(test::usual_terms())) return;
    if (peer.next()) ++commands;
  });
  const auto context = open_context(daemon.path());
  CHECK(submit(*context) == Status::IoError);
  CHECK(commands == 1);
  CHECK(connections == 1);
  const auto request = context->begin({0, 0, tpm_message(1)});
  REQUIRE(request.has_value());
  proto::Buffer room(64);
  std::size_t size = 0;
  CHECK(context->take(*request, room, size, {}) == Status::IoError);
  CHECK(commands == 2);
  CHECK(connections == 2);
}

TEST_CASE("a daemon that lets every connection go is not asked without end", "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    ++connections;
    peer.handshake(test::usual_terms());
  });
  const auto context = open_context(daemon.path());
  const Status status = submit(*context);
  // The command may have been on its way when the daemon went.
  CHECK((status == Status::ServiceNotRunning || status == Status::IoError));
  CHECK(connections <= 1 + static_cast<int>(kMostConnectionsPerCall));
}

TEST_CASE("a hello that a daemon has taken along is said again", "[client][context]") {
  const int deaf = GENERATE(1, 2, 3);
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (++connections <= deaf) {
      peer.next();
    } else {
      test::echo(peer);
    }
  });
  const auto context = Context::open(daemon.path(), proto::kWantTpm20);
  // One that never answers is not asked without end.
  if (deaf == 3) {
    REQUIRE_FALSE(context.has_value());
    CHECK(context.error() == Status::ServiceNotRunning);
    CHECK(connections == 3);
  } else {
    REQUIRE(context.has_value());
    CHECK(submit(**context) == Status::Success);
  }
}

TEST_CASE("results of a lost connection can be taken later", "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (++connections > 1) return test::echo(peer);
    if (!peer.handshake(test::usual_terms())) return;
    const auto id = peer.expect(proto::Type::Submit);
    peer.send(id, proto::Result{.response = tpm_message(7)});
    peer.next();
  });
  const auto context = open_context(daemon.path());
  const int descriptor = context->poll_descriptor();
  const auto answered = context->begin({0, 0, tpm_message(7)});
  const auto lost = context->begin({0, 0, tpm_message(8)});
  REQUIRE(answered.has_value());
  REQUIRE(lost.has_value());
  CHECK(readable(descriptor, 10000));
  // Another connection, by another command, before they are taken.
  while (submit(*context) != Status::Success) std::this_thread::yield();
  CHECK(context->reconnections() == 1);
  CHECK(context->poll_descriptor() == descriptor);
  const auto third = context->begin({0, 0, tpm_message(9)});
  REQUIRE(third.has_value());
  CHECK(*third > *lost);
  CHECK(readable(descriptor, 0));
  proto::Buffer room(12);
  std::size_t size = 0;
  CHECK(context->take(*answered, room, size, {}) == Status::Success);
  CHECK(room == tpm_message(7));
  CHECK(context->take(*lost, room, size, {}) == Status::IoError);
  CHECK(context->take(*third, room, size, {}) == Status::Success);
  CHECK(room == tpm_message(9));
  CHECK_FALSE(readable(descriptor, 0));
  for (const auto id : {*answered, *lost, *third, *third + 1}) {
    CHECK(context->take(id, room, size, Clock::now()) == Status::BadParameter);
  }
}

TEST_CASE("results that nobody takes do not pile up over connections", "[client][context]") {
  FakeDaemon daemon([](Peer& peer) {
    auto terms = test::usual_terms();
    terms.window = 4;
    if (!peer.handshake(terms)) return;
    for (int i = 0; i < 2; ++i) peer.next();
  });
  const auto context = open_context(daemon.path());
  int begun = 0;
  for (int round = 0; round < 200; ++round) {
    const auto request = context->begin({0, 0, tpm_message(1)});
    begun += request ? 1 : 0;
    if (!request) CHECK(request.error() == Status::TooManyResources);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  CHECK(begun == 4);
}

TEST_CASE("several threads share one new connection", "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    // The second takes its time over the hello.
    if (++connections == 2) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return connections == 1 ? leave_at_first(peer) : test::echo(peer);
  });
  const auto context = open_context(daemon.path());
  CHECK(submit(*context) == Status::IoError);
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      if (submit(*context) == Status::Success) ++done;
    });
  }
  threads.clear();
  CHECK(done == 8);
  CHECK(connections == 2);
}

TEST_CASE("commands that waited for a place in the window run on the new connection",
          "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    auto terms = test::usual_terms();
    terms.window = 3;
    if (++connections > 1) return test::echo(peer);
    if (!peer.handshake(terms)) return;
    for (int i = 0; i < 3; ++i) peer.next();
    // The rest have no place, and this one never has them.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  });
  const auto context = open_context(daemon.path());
  std::atomic<int> lost = 0;
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&] {
      const Status status = submit(*context);
      if (status == Status::Success) ++done;
      if (status == Status::IoError) ++lost;
    });
  }
  threads.clear();
  CHECK(lost == 3);
  CHECK(done == 7);
}

TEST_CASE("closing and cancelling end the wait for a daemon that starts", "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (++connections == 1) return leave_at_first(peer);
    while (peer.next()) {
    }
  });
  const auto context = open_context(daemon.path());
  CHECK(submit(*context) == Status::IoError);
  std::atomic<int> canceled = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      if (submit(*context) == Status::CommandCanceled) ++canceled;
    });
  }
  while (connections < 2) std::this_thread::yield();
  SECTION("cancelling") {
    while (canceled < 3) {
      CHECK(context->cancel() == Status::Success);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  SECTION("closing") {
    context->close();
  }
  threads.clear();
  CHECK(canceled == 3);
  context->close();
  CHECK(submit(*context) == Status::CommandCanceled);
}

TEST_CASE("whom the daemon does not let in again is told why", "[client][context]") {
  std::atomic<int> connections = 0;
  FakeDaemon daemon([&](Peer& peer) {
    if (++connections == 1) return leave_at_first(peer);
    if (connections == 2) {
      peer.handshake({.status = Status::TooManyContexts});
      return;
    }
    test::echo(peer);
  });
  const auto context = open_context(daemon.path());
  CHECK(submit(*context) == Status::IoError);
  CHECK(submit(*context) == Status::TooManyContexts);
  CHECK(submit(*context) == Status::Success);
}
