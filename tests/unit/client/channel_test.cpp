#include "client/channel.h"

#include <atomic>
#include <thread>
#include <vector>

#include <poll.h>

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace tbs;
using namespace tbs::client;
using proto::Status;
using test::FakeDaemon;
using test::Peer;
using test::tpm_message;

namespace {

std::expected<HandshakeResult, Status> greet(const std::string& path) {
  return handshake(path, {.role = proto::Role::Context, .wanted = proto::kWantTpm20});
}

std::shared_ptr<Channel> connect(const FakeDaemon& daemon, std::shared_ptr<ReadySignal> signal =
                                                               std::make_shared<ReadySignal>()) {
  auto greeted = greet(daemon.path());
  REQUIRE(greeted.has_value());
  return std::make_shared<Channel>(*std::move(greeted), 0, std::move(signal));
}

// Nothing: the daemon has not had it.
template <typename Value>
std::optional<Status> status_of(const Outcome<Value>& outcome) {
  return outcome ? Status::Success : outcome.error();
}

struct Answer {
  std::optional<Status> status;
  proto::Buffer response;
};

Answer submit(Channel& channel, const proto::Buffer& command, std::size_t room = 4096) {
  proto::Buffer response(room);
  std::size_t size = 0;
  const auto status = status_of(channel.submit({0, 200, command}, response, size));
  response.resize(status == Status::Success ? size : 0);
  return {status, response};
}

Deadline in(int milliseconds) {
  return Clock::now() + std::chrono::milliseconds(milliseconds);
}

bool readable(int descriptor, int milliseconds) {
  return wait_for(descriptor, POLLIN, in(milliseconds));
}

// A handler that answers the hello and then does what `body` does.
FakeDaemon::Handler greeted(FakeDaemon::Handler body) {
  return [body = std::move(body)](Peer& peer) {
    if (peer.handshake(test::usual_terms())) body(peer);
  };
}

}  // namespace

TEST_CASE("a command's response comes back, also into the command's own memory",
          "[client][channel]") {
  FakeDaemon daemon(test::echo);
  const auto channel = connect(daemon);
  proto::Buffer buffer = tpm_message(tpm::cc::kGetRandom, 64);
  const proto::Buffer sent = buffer;
  std::size_t size = 0;
  REQUIRE(channel->submit({0, 200, buffer}, buffer, size).has_value());
  REQUIRE(size == 64);
  REQUIRE(buffer == sent);
}

TEST_CASE("a response that does not fit is reported with its exact size", "[client][channel]") {
  FakeDaemon daemon(test::echo);
  const auto channel = connect(daemon);
  const auto command = tpm_message(tpm::cc::kGetRandom, 100);
  for (const std::size_t room : {0U, 1U, 99U}) {
    proto::Buffer response(room, 0xee);
    std::size_t size = 0;
    REQUIRE(status_of(channel->submit({0, 0, command}, response, size)) ==
            Status::InsufficientBuffer);
    REQUIRE(size == 100);
    REQUIRE(response == proto::Buffer(room, 0xee));
  }
  REQUIRE(submit(*channel, command, 100).status == Status::Success);
}

TEST_CASE("the daemon's terms and refusals decide what opening gives", "[client][channel]") {
  SECTION("a status in the answer to hello") {
    FakeDaemon daemon([](Peer& peer) { peer.handshake({.status = Status::TooManyContexts}); });
    REQUIRE(greet(daemon.path()).error() == Status::TooManyContexts);
  }
  SECTION("a refusal instead of an answer") {
    FakeDaemon daemon([](Peer& peer) {
      peer.send(0, proto::Refusal{.status = Status::AccessDenied, .reason = "not you"});
    });
    REQUIRE(greet(daemon.path()).error() == Status::AccessDenied);
  }
  SECTION("a connection closed without a word") {
    FakeDaemon daemon([](Peer&) {});
    REQUIRE(greet(daemon.path()).error() == Status::ServiceNotRunning);
  }
  SECTION("an answer of another kind") {
    FakeDaemon daemon([](Peer& peer) { peer.send(0, proto::CancelReply{}); });
    REQUIRE(greet(daemon.path()).error() == Status::InternalError);
  }
  SECTION("no socket, or nobody behind it") {
    std::string path;
    {
      FakeDaemon daemon(test::echo);
      path = daemon.path();
    }
    REQUIRE(greet(path).error() == Status::ServiceNotRunning);
    REQUIRE(greet("/dev/null").error() == Status::ServiceNotRunning);
    REQUIRE(greet(std::string(200, 'x')).error() == Status::ServiceNotRunning);
  }
}

TEST_CASE("answers in any order reach those who asked", "[client][channel]") {
  constexpr int kThreads = 8;
  FakeDaemon daemon(greeted([](Peer& peer) {
    std::vector<std::pair<std::uint64_t, proto::Buffer>> waiting;
    while (const auto frame = peer.next()) {
      const auto command = proto::decode<proto::Submit>(frame->payload)->command;
      waiting.emplace_back(frame->request_id, proto::Buffer(command.begin(), command.end()));
      if (waiting.size() < kThreads) continue;
      for (; !waiting.empty(); waiting.pop_back()) {
        peer.send(waiting.back().first, proto::Result{.response = waiting.back().second});
      }
    }
  }));
  const auto channel = connect(daemon);
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t round = 0; round < 50; ++round) {
        const auto command = tpm_message(t * 1000 + round, 20 + t);
        const Answer answer = submit(*channel, command);
        if (answer.status == Status::Success && answer.response == command) ++right;
      }
    });
  }
  threads.clear();
  REQUIRE(right == kThreads * 50);
}

TEST_CASE("no more than the window are at the daemon, and all are served", "[client][channel]") {
  std::atomic<int> most = 0;
  FakeDaemon daemon([&](Peer& peer) {
    auto terms = test::usual_terms();
    terms.window = 4;
    if (!peer.handshake(terms)) return;
    std::vector<std::uint64_t> waiting;
    while (const auto frame = peer.next()) {
      waiting.push_back(frame->request_id);
      most = std::max(most.load(), static_cast<int>(waiting.size()));
      // The fourth of a window of four is left free for a cancel.
      if (waiting.size() < 3) continue;
      for (const auto id : waiting) peer.send(id, proto::Result{.response = tpm_message(0)});
      waiting.clear();
    }
  });
  const auto channel = connect(daemon);
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&] {
      if (submit(*channel, tpm_message(1)).status == Status::Success) ++done;
    });
  }
  threads.clear();
  REQUIRE(done == 12);
  REQUIRE(most == 3);
}

TEST_CASE("a cancel ends what is at the daemon and what is held back", "[client][channel]") {
  std::atomic<int> arrived = 0;
  FakeDaemon daemon([&](Peer& peer) {
    auto terms = test::usual_terms();
    terms.window = 3;
    if (!peer.handshake(terms)) return;
    std::vector<std::uint64_t> waiting;
    while (const auto frame = peer.next()) {
      if (frame->type == proto::Type::Submit) {
        waiting.push_back(frame->request_id);
        ++arrived;
        continue;
      }
      const std::uint64_t cancel = frame->request_id;
      for (const auto id : waiting) {
        peer.send(id, proto::Result{.status = Status::CommandCanceled, .response = {}});
      }
      waiting.clear();
      peer.send(cancel, proto::CancelReply{});
    }
  });
  const auto channel = connect(daemon);
  std::atomic<int> canceled = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      if (submit(*channel, tpm_message(1)).status == Status::CommandCanceled) ++canceled;
    });
  }
  while (arrived < 2) std::this_thread::yield();
  // Late comers are cancelled by one of the next rounds.
  while (canceled < 6) {
    REQUIRE(channel->cancel().has_value());
    std::this_thread::yield();
  }
  threads.clear();
  REQUIRE(canceled == 6);
  REQUIRE(channel->cancel().has_value());
}

TEST_CASE("a daemon that dies ends all that waits and all that comes later", "[client][channel]") {
  FakeDaemon daemon(greeted([](Peer& peer) {
    peer.next();
    peer.next();
    peer.next();
  }));
  const auto channel = connect(daemon);
  std::atomic<int> ended = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      if (submit(*channel, tpm_message(1)).status == Status::IoError) ++ended;
    });
  }
  threads.clear();
  REQUIRE(ended == 3);
  // What comes later the daemon cannot have had.
  REQUIRE(submit(*channel, tpm_message(1)).status == std::nullopt);
  REQUIRE(channel->cancel().error() == std::nullopt);
  REQUIRE(channel->make_sticky(1, true).error() == std::nullopt);
  REQUIRE(channel->begin({0, 0, tpm_message(1)}).error() == std::nullopt);
  REQUIRE(channel->ask(proto::ReadLog{}, {}).error() == std::nullopt);
  REQUIRE(channel->ended());
}

TEST_CASE("what breaks the protocol ends the channel", "[client][channel]") {
  const auto outcome = [](FakeDaemon::Handler answer) {
    FakeDaemon daemon(greeted(std::move(answer)));
    const auto channel = connect(daemon);
    const auto first = submit(*channel, tpm_message(1)).status;
    REQUIRE(submit(*channel, tpm_message(1)).status == std::nullopt);
    return first;
  };
  SECTION("half a frame") {
    REQUIRE(outcome([](Peer& peer) {
              proto::Buffer frame;
              proto::append_frame(frame, peer.expect(proto::Type::Submit),
                                  proto::Result{.response = tpm_message(0, 100)});
              peer.send_raw(proto::Bytes(frame).first(50));
            }) == Status::IoError);
  }
  SECTION("bytes that are no frame") {
    REQUIRE(outcome([](Peer& peer) {
              peer.next();
              peer.send_raw(proto::Buffer(64, 0xa5));
              peer.next();
            }) == Status::InternalError);
  }
  SECTION("an answer to what nobody asked") {
    REQUIRE(outcome([](Peer& peer) {
              const auto id = peer.expect(proto::Type::Submit);
              peer.send(id + 1, proto::Result{.response = tpm_message(0)});
              peer.next();
            }) == Status::InternalError);
  }
  SECTION("success without a response") {
    REQUIRE(outcome([](Peer& peer) {
              peer.send(peer.expect(proto::Type::Submit), proto::Result{});
              peer.next();
            }) == Status::InternalError);
  }
  SECTION("the answer of a cancel to a command") {
    REQUIRE(outcome([](Peer& peer) {
              peer.send(peer.expect(proto::Type::Submit), proto::CancelReply{});
              peer.next();
            }) == Status::InternalError);
  }
  SECTION("a refusal says why") {
    REQUIRE(outcome([](Peer& peer) {
              peer.next();
              peer.send(0, proto::Refusal{.status = Status::AccessDenied, .reason = "enough"});
            }) == Status::AccessDenied);
  }
}

TEST_CASE("an answer in single bytes is put together", "[client][channel]") {
  FakeDaemon daemon(greeted([](Peer& peer) {
    proto::Buffer frame;
    proto::append_frame(frame, peer.expect(proto::Type::Submit),
                        proto::Result{.response = tpm_message(5, 40)});
    for (const std::uint8_t& byte : frame) peer.send_raw({&byte, 1});
    peer.next();
  }));
  const auto channel = connect(daemon);
  REQUIRE(submit(*channel, tpm_message(1)).response == tpm_message(5, 40));
}

TEST_CASE("closing cancels what other threads wait for", "[client][channel]") {
  std::atomic<int> arrived = 0;
  FakeDaemon daemon(greeted([&](Peer& peer) {
    while (peer.next()) ++arrived;
  }));
  const auto channel = connect(daemon);
  std::atomic<int> canceled = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      if (submit(*channel, tpm_message(1)).status == Status::CommandCanceled) ++canceled;
    });
  }
  while (arrived < 4) std::this_thread::yield();
  channel->close();
  threads.clear();
  REQUIRE(canceled == 4);
}

TEST_CASE("a begun command is taken when it is there, and only once", "[client][begin]") {
  std::atomic<bool> answer = false;
  FakeDaemon daemon(greeted([&](Peer& peer) {
    const auto id = peer.expect(proto::Type::Submit);
    while (!answer) std::this_thread::yield();
    peer.send(id, proto::Result{.response = tpm_message(9, 30)});
    peer.next();
  }));
  const auto channel = connect(daemon);
  const auto request = channel->begin({0, 0, tpm_message(1)});
  REQUIRE(request.has_value());
  std::size_t size = 0;
  proto::Buffer room(64);
  REQUIRE_FALSE(channel->take(*request, room, size, in(0)).has_value());
  REQUIRE_FALSE(channel->take(*request, room, size, in(20)).has_value());
  REQUIRE(channel->take(*request + 1, room, size, in(0)) == Status::BadParameter);
  answer = true;
  REQUIRE(channel->take(*request, {}, size, {}) == Status::InsufficientBuffer);
  REQUIRE(size == 30);
  REQUIRE(channel->take(*request, room, size, in(0)) == Status::Success);
  REQUIRE(size == 30);
  room.resize(size);
  REQUIRE(room == tpm_message(9, 30));
  REQUIRE(channel->take(*request, room, size, in(0)) == Status::BadParameter);
}

TEST_CASE("as many can be begun as the window holds, until one is taken", "[client][begin]") {
  FakeDaemon daemon(test::echo);
  const auto channel = connect(daemon);
  std::vector<std::uint64_t> requests;
  for (;;) {
    const auto request = channel->begin({0, 0, tpm_message(1)});
    if (!request) {
      REQUIRE(request.error() == Status::TooManyResources);
      break;
    }
    requests.push_back(*request);
  }
  REQUIRE(requests.size() == proto::kWindow);
  proto::Buffer room(64);
  std::size_t size = 0;
  REQUIRE(channel->take(requests.back(), room, size, {}) == Status::Success);
  REQUIRE(channel->begin({0, 0, tpm_message(1)}).has_value());
}

TEST_CASE("the poll descriptor shows answers, whoever read them", "[client][begin]") {
  std::atomic<bool> answer = false;
  FakeDaemon daemon(greeted([&](Peer& peer) {
    const auto first = peer.expect(proto::Type::Submit);
    while (!answer) std::this_thread::yield();
    peer.send(first, proto::Result{.response = tpm_message(1)});
    const auto second = peer.expect(proto::Type::Submit);
    peer.send(second, proto::Result{.response = tpm_message(2)});
    peer.next();
  }));
  const auto signal = std::make_shared<ReadySignal>();
  const auto channel = connect(daemon, signal);
  const int descriptor = signal->descriptor();
  REQUIRE(descriptor >= 0);
  REQUIRE(signal->descriptor() == descriptor);
  const auto request = channel->begin({0, 0, tpm_message(1)});
  REQUIRE_FALSE(readable(descriptor, 0));
  answer = true;
  REQUIRE(readable(descriptor, 10000));
  // This thread reads the first answer while it waits for its own.
  REQUIRE(submit(*channel, tpm_message(1)).response == tpm_message(2));
  REQUIRE(readable(descriptor, 0));
  std::size_t size = 0;
  proto::Buffer room(64);
  REQUIRE(channel->take(*request, {}, size, in(0)) == Status::InsufficientBuffer);
  REQUIRE(readable(descriptor, 0));
  REQUIRE(channel->take(*request, room, size, in(0)) == Status::Success);
  REQUIRE_FALSE(readable(descriptor, 0));
}

TEST_CASE("the poll descriptor tells the end of the daemon to who waits for a result, and once",
          "[client][begin]") {
  FakeDaemon daemon(greeted([](Peer& peer) { peer.next(); }));
  const auto signal = std::make_shared<ReadySignal>();
  const auto channel = connect(daemon, signal);
  const auto request = channel->begin({0, 0, tpm_message(1)});
  const int descriptor = signal->descriptor();
  REQUIRE(readable(descriptor, 10000));
  std::size_t size = 0;
  REQUIRE(channel->take(*request, {}, size, {}) == Status::IoError);
  REQUIRE_FALSE(readable(descriptor, 0));
}

TEST_CASE("the end of a connection wakes nobody who waits for nothing", "[client][begin]") {
  std::atomic<bool> ended = false;
  FakeDaemon daemon(greeted([&](Peer& peer) {
    peer.send(peer.expect(proto::Type::Submit), proto::Result{.response = tpm_message(1)});
    peer.send(0, proto::Refusal{.status = Status::ServiceNotRunning, .reason = "it stops"});
    peer.close();
    ended = true;
  }));
  const auto signal = std::make_shared<ReadySignal>();
  const int descriptor = signal->descriptor();
  const auto channel = connect(daemon, signal);
  const auto request = channel->begin({0, 0, tpm_message(1)});
  proto::Buffer room(64);
  std::size_t size = 0;
  REQUIRE(channel->take(*request, room, size, {}) == Status::Success);
  while (!ended) std::this_thread::yield();
  REQUIRE_FALSE(readable(descriptor, 20));
  REQUIRE(channel->begin({0, 0, tpm_message(1)}).error() == std::nullopt);
  REQUIRE_FALSE(readable(descriptor, 0));
}

TEST_CASE("what a daemon that stops has not taken ends as it says", "[client][channel]") {
  FakeDaemon daemon(greeted([](Peer& peer) {
    peer.next();
    peer.send(0, proto::Refusal{.status = Status::ServiceNotRunning, .reason = "it stops"});
  }));
  const auto channel = connect(daemon);
  REQUIRE(submit(*channel, tpm_message(1)).status == Status::ServiceNotRunning);
}

TEST_CASE("commands begun without reading do not lock up a daemon that waits to be read",
          "[client][begin]") {
  FakeDaemon daemon([](Peer& peer) {
    // Answers each command before it reads the next, with more than any socket buffers.
    if (!peer.handshake({.max_command = 16384, .max_response = 16384})) return;
    const auto response = tpm_message(0, 16384);
    while (const auto frame = peer.next()) {
      peer.send(frame->request_id, proto::Result{.response = response});
    }
  });
  const auto channel = connect(daemon);
  const auto command = tpm_message(1, 16384);
  std::vector<std::uint64_t> requests;
  for (unsigned i = 0; i < proto::kWindow; ++i) {
    requests.push_back(*channel->begin({0, 0, command}));
  }
  proto::Buffer room(16384);
  std::size_t size = 0;
  for (const auto request : requests) {
    REQUIRE(channel->take(request, room, size, {}) == Status::Success);
    REQUIRE(size == 16384);
  }
}

TEST_CASE("a question that is not answered ends with the connection", "[client][channel]") {
  FakeDaemon daemon(greeted([](Peer& peer) {
    while (peer.next()) {
    }
  }));
  const auto channel = connect(daemon);
  CHECK(channel->ask(proto::ReadLog{}, in(1)).error() == Status::ServiceNotRunning);
  CHECK(channel->ended());
  CHECK(channel->cancel().error() == std::nullopt);
}

TEST_CASE("answers that come all the time do not keep a series of questions going",
          "[client][channel]") {
  FakeDaemon daemon(greeted([](Peer& peer) {
    while (const auto frame = peer.next()) {
      peer.send(frame->request_id, proto::LogPart{.more = 1, .bytes = {}});
    }
  }));
  const auto channel = connect(daemon);
  const Deadline deadline = in(50);
  while (channel->ask(proto::ReadLog{}, deadline).has_value()) {
  }
  CHECK(is_over(deadline));
}
