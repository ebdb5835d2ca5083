// tbs.hpp and tbs/asio.hpp against a daemon that a test plays: who cancels what, and when.

#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <set>
#include <stop_token>
#include <tbs.hpp>
#include <tbs/asio.hpp>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/fake_daemon.h"

using namespace std::chrono_literals;
using boost::asio::cancellation_type;
using tbs::proto::Status;
using tbs::test::FakeDaemon;
using tbs::test::Peer;
using tbs::test::tpm_message;
using Response = std::vector<std::uint8_t>;
using Loop = boost::asio::io_context;

namespace {

// A command whose code is a number of the test's, which the response repeats.
tbs::proto::Buffer numbered(std::uint32_t number, std::uint32_t size = 20) {
  return tpm_message(number, size);
}

// Keeps commands until it is told to answer; a cancel ends what it keeps, or one of it.
class Keeper {
 public:
  void operator()(Peer& peer) {
    if (!peer.handshake(tbs::test::usual_terms())) return;
    std::vector<std::uint64_t> kept;
    while (const auto frame = peer.next()) {
      if (frame->type == tbs::proto::Type::Submit) {
        const auto submit = tbs::proto::decode<tbs::proto::Submit>(frame->payload);
        ++commands;
        if (answers) {
          peer.send(frame->request_id, tbs::proto::Result{.response = submit->command});
        } else {
          kept.push_back(frame->request_id);
        }
      } else if (frame->type == tbs::proto::Type::Cancel) {
        ++cancels;
        for (const auto id : kept) {
          peer.send(id, tbs::proto::Result{.status = Status::CommandCanceled});
        }
        kept.clear();
        peer.send(frame->request_id, tbs::proto::CancelReply{});
      } else if (const auto one = tbs::proto::decode<tbs::proto::CancelCommand>(frame->payload)) {
        if (std::erase(kept, one->request) > 0) {
          peer.send(one->request, tbs::proto::Result{.status = Status::CommandCanceled});
        }
        peer.send(frame->request_id, tbs::proto::CancelCommandReply{});
      }
    }
  }

  std::atomic<bool> answers = false;
  std::atomic<int> commands = 0;
  std::atomic<int> cancels = 0;
};

tbs::context open(const FakeDaemon& daemon) {
  auto opened = tbs::context::open({.socket = daemon.path().c_str()});
  REQUIRE(opened.has_value());
  return *std::move(opened);
}

tbs::async_context<> open(Loop& loop, const FakeDaemon& daemon) {
  auto opened = tbs::async_context<>::open(loop.get_executor(), {.socket = daemon.path().c_str()});
  REQUIRE(opened.has_value());
  return *std::move(opened);
}

// Runs the loop until something is so.
void run_until(Loop& loop, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!done() && std::chrono::steady_clock::now() < end) {
    loop.restart();
    loop.run_one_for(10ms);
  }
  REQUIRE(done());
}

// What an operation ended with.
struct Ended {
  int times = 0;
  boost::system::error_code error;
  Response response;

  auto handler() {
    return [this](boost::system::error_code failed, Response got) {
      ++times;
      error = failed;
      response = std::move(got);
    };
  }
};

}  // namespace

TEST_CASE("tbs.hpp: a context is opened once, moved, and closed once") {
  FakeDaemon daemon(tbs::test::echo);
  tbs::context first = open(daemon);
  const TBS_HCONTEXT handle = first.native_handle();
  REQUIRE(handle != nullptr);
  tbs::context second = std::move(first);
  REQUIRE(second.native_handle() == handle);
  // NOLINTNEXTLINE(bugprone-use-after-move): what is left says so.
  REQUIRE(first.info().error() == TBS_E_INVALID_CONTEXT);
  REQUIRE(second.info()->number == 7);
  second = open(daemon);
  REQUIRE(Tbsip_Context_Close(handle) == TBS_E_INVALID_CONTEXT);
  const TBS_HCONTEXT own = second.release();
  REQUIRE(second.native_handle() == nullptr);
  REQUIRE(Tbsip_Context_Close(own) == TBS_SUCCESS);
  second.close();
  REQUIRE(second.cancel().error() == TBS_E_INVALID_CONTEXT);
}

TEST_CASE("tbs.hpp: an error has a code, a name and words") {
  const auto opened = tbs::context::open({.socket = "/nonexistent/socket"});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error() == TBS_E_SERVICE_NOT_RUNNING);
  CHECK(std::string(opened.error().name()) == "TBS_E_SERVICE_NOT_RUNNING");
  CHECK(std::strlen(opened.error().message()) > 10);
  CHECK(tbs::context::open({.socket = ""}).error() == TBS_E_BAD_PARAMETER);
  CHECK(tbs::context::open({.tpm20 = false}).error() == TBS_E_INVALID_CONTEXT_PARAM);
}

TEST_CASE("tbs.hpp: a response comes into the caller's memory, the command's too, or a vector") {
  FakeDaemon daemon(tbs::test::echo);
  const tbs::context tpm = open(daemon);
  auto buffer = numbered(5);
  const auto sent = buffer;
  std::stop_source stop;
  for (const bool with_stop : {false, true}) {
    const auto token = with_stop ? stop.get_token() : std::stop_token();
    for (const tbs::options& how : {tbs::options{}, tbs::options{.timeout = 60s}}) {
      auto response = tpm.submit(buffer, buffer, token, how);
      REQUIRE(response.has_value());
      REQUIRE(response->data() == buffer.data());
      REQUIRE(Response(response->begin(), response->end()) == sent);
      REQUIRE(tpm.submit(sent, token, how).value() == sent);
      std::array<std::uint8_t, 3> small{};
      REQUIRE(tpm.submit(sent, small, token, how).error() == TBS_E_INSUFFICIENT_BUFFER);
      REQUIRE(tpm.submit(sent, tbs::room(), token, how).error() == TBS_E_INVALID_OUTPUT_POINTER);
      REQUIRE(tpm.submit(tbs::bytes(sent).first(4), token, how).error() == TBS_E_BAD_PARAMETER);
    }
  }
  // What was lost is not outstanding any more: there are 32 places.
  std::array<std::uint8_t, 3> small{};
  for (int i = 0; i < 40; ++i) {
    REQUIRE(tpm.submit(sent, small, stop.get_token()).error() == TBS_E_INSUFFICIENT_BUFFER);
  }
}

TEST_CASE("tbs.hpp: begin and take") {
  FakeDaemon daemon(tbs::test::echo);
  const tbs::context tpm = open(daemon);
  REQUIRE(tpm.poll_descriptor().value() >= 0);
  REQUIRE(tpm.cancel_descriptor().value() >= 0);
  const auto request = tpm.begin(numbered(3));
  REQUIRE(request.has_value());
  std::array<std::uint8_t, 64> place{};
  REQUIRE(tpm.take(*request, place)->size() == 20);
  REQUIRE(tpm.take(*request, place, 0ms).error() == TBS_E_BAD_PARAMETER);
}

TEST_CASE("tbs.hpp: one of two begun commands is cancelled") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  const tbs::context tpm = open(daemon);
  const std::array requests{tpm.begin(numbered(1)).value(), tpm.begin(numbered(2)).value()};
  std::array<std::uint8_t, 64> place{};
  REQUIRE(tpm.cancel(requests[1]).has_value());
  REQUIRE(tpm.take(requests[1], place).error().canceled());
  REQUIRE(tpm.take(requests[0], place, 0ms).error() == TBSX_E_PENDING);
  REQUIRE(tpm.cancel(requests[1]).error() == TBS_E_BAD_PARAMETER);
  REQUIRE(keeper.cancels == 0);
}

TEST_CASE("tbs.hpp: a stop ends a submit, before, during and after") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  const tbs::context tpm = open(daemon);
  SECTION("before") {
    std::stop_source stop;
    stop.request_stop();
    REQUIRE(tpm.submit(numbered(1), stop.get_token()).error().canceled());
    REQUIRE(keeper.commands == 0);
  }
  SECTION("while it runs, in whatever instant") {
    for (int i = 0; i < 200; ++i) {
      std::stop_source stop;
      const int before = keeper.commands;
      std::jthread other([&] {
        if (i % 2 == 0) {
          while (keeper.commands == before) std::this_thread::yield();
        }
        stop.request_stop();
      });
      REQUIRE(tpm.submit(numbered(1), stop.get_token()).error().canceled());
    }
  }
  SECTION("after: nothing happens to the next command") {
    keeper.answers = true;
    std::stop_source stop;
    REQUIRE(tpm.submit(numbered(1), stop.get_token()).has_value());
    stop.request_stop();
    REQUIRE(tpm.submit(numbered(2)).has_value());
    REQUIRE(keeper.cancels == 0);
  }
}

TEST_CASE("tbs.hpp: a time-out ends a submit, with a stop token as without") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  const tbs::context tpm = open(daemon);
  std::stop_source stop;
  for (const auto timeout : {0ms, 1ms}) {
    REQUIRE(tpm.submit(numbered(1), {.timeout = timeout}).error().timed_out());
    REQUIRE(tpm.submit(numbered(1), stop.get_token(), {.timeout = timeout}).error().timed_out());
  }
  keeper.answers = true;
  REQUIRE(tpm.submit(numbered(1), {.timeout = std::chrono::hours(24 * 365)}).has_value());
}

TEST_CASE("tbs/asio.hpp: operations run one after the other, and each has its response") {
  FakeDaemon daemon(tbs::test::echo);
  Loop loop;
  auto tpm = open(loop, daemon);
  std::vector<Ended> ended(50);
  for (std::uint32_t i = 0; i < 50; ++i) {
    tpm.async_submit(numbered(i, 20 + i * 80), ended[i].handler());
    REQUIRE(ended[i].times == 0);
  }
  REQUIRE(tpm.load() == 50);
  run_until(loop, [&] { return ended.back().times == 1; });
  for (std::uint32_t i = 0; i < 50; ++i) {
    REQUIRE(ended[i].times == 1);
    REQUIRE_FALSE(ended[i].error);
    REQUIRE(ended[i].response == numbered(i, 20 + i * 80));
  }
  REQUIRE(tpm.load() == 0);
}

TEST_CASE("tbs/asio.hpp: a cancel meets its own operation and no other") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  Loop loop;
  auto tpm = open(loop, daemon);
  std::array<Ended, 4> ended;
  std::array<boost::asio::cancellation_signal, 4> signals;
  for (std::size_t i = 0; i < 4; ++i) {
    tpm.async_submit(numbered(static_cast<std::uint32_t>(i)),
                     boost::asio::bind_cancellation_slot(signals[i].slot(), ended[i].handler()));
  }
  run_until(loop, [&] { return keeper.commands == 1; });
  // One that waits: it was never sent.
  signals[2].emit(cancellation_type::total);
  run_until(loop, [&] { return ended[2].times == 1; });
  REQUIRE(ended[2].error == boost::asio::error::operation_aborted);
  REQUIRE(keeper.cancels == 0);
  // What runs may have had an effect already.
  signals[0].emit(cancellation_type::total);
  REQUIRE(ended[0].times == 0);
  signals[0].emit(cancellation_type::terminal);
  signals[0].emit(cancellation_type::terminal);
  run_until(loop, [&] { return ended[0].times == 1; });
  REQUIRE(ended[0].error == boost::asio::error::operation_aborted);
  REQUIRE(keeper.cancels == 1);
  // The others go on.
  run_until(loop, [&] { return keeper.commands == 2; });
  REQUIRE(ended[1].times == 0);
  keeper.answers = true;
  signals[1].emit(cancellation_type::partial);
  run_until(loop, [&] { return ended[1].times + ended[3].times == 2; });
  REQUIRE(ended[1].error == boost::asio::error::operation_aborted);
  REQUIRE_FALSE(ended[3].error);
  REQUIRE(ended[3].response == numbered(3));
  // After the end a signal finds nothing.
  signals[3].emit(cancellation_type::all);
  Ended last;
  tpm.async_submit(numbered(9), last.handler());
  run_until(loop, [&] { return last.times == 1; });
  REQUIRE_FALSE(last.error);
  REQUIRE(keeper.cancels == 2);
}

TEST_CASE("tbs/asio.hpp: somebody else's cancel is told apart, a time-out too") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  Loop loop;
  auto tpm = open(loop, daemon);
  Ended ended;
  tpm.async_submit(numbered(1), ended.handler());
  run_until(loop, [&] { return keeper.commands == 1; });
  REQUIRE(tpm.tpm().cancel().has_value());
  run_until(loop, [&] { return ended.times == 1; });
  REQUIRE(ended.error == tbs::make_error_code(tbs::error(TBS_E_COMMAND_CANCELED)));
  REQUIRE(ended.error == boost::system::errc::operation_canceled);
  REQUIRE(ended.error.message() == Tbsx_Result_Text(TBS_E_COMMAND_CANCELED));

  std::array<Ended, 2> late;
  tpm.async_submit(numbered(1), {.timeout = 1h}, late[0].handler());
  tpm.async_submit(numbered(2), {.timeout = 1ms}, late[1].handler());
  run_until(loop, [&] { return late[1].times == 1; });
  REQUIRE(late[1].error == boost::system::errc::timed_out);
  REQUIRE(keeper.commands == 2);
  REQUIRE(late[0].times == 0);
  Ended running;
  REQUIRE(tpm.tpm().cancel().has_value());
  run_until(loop, [&] { return late[0].times == 1; });
  tpm.async_submit(numbered(3), {.timeout = 1ms}, running.handler());
  run_until(loop, [&] { return running.times == 1; });
  REQUIRE(running.error == boost::system::errc::timed_out);
  keeper.answers = true;
  tpm.async_submit(numbered(4), {.timeout = 1h}, running.handler());
  run_until(loop, [&] { return running.times == 2; });
  REQUIRE_FALSE(running.error);
  // No timer keeps the loop: it ends by itself.
  loop.restart();
  loop.run();
}

TEST_CASE(
    "tbs/asio.hpp: what cannot be sent ends with its error, and not before the call returns") {
  std::optional<FakeDaemon> daemon(std::in_place, tbs::test::echo);
  Loop loop;
  auto tpm = open(loop, *daemon);
  Ended ended;
  tpm.async_submit(Response(3), ended.handler());
  REQUIRE(ended.times == 0);
  run_until(loop, [&] { return ended.times == 1; });
  REQUIRE(ended.error == tbs::make_error_code(tbs::error(TBS_E_BAD_PARAMETER)));
  daemon.reset();
  tpm.async_submit(numbered(1), ended.handler());
  run_until(loop, [&] { return ended.times == 2; });
  REQUIRE(ended.error.category() == tbs::category());
}

TEST_CASE("tbs/asio.hpp: an object that goes ends its operations") {
  Keeper keeper;
  FakeDaemon daemon(std::ref(keeper));
  Loop loop;
  std::array<Ended, 3> ended;
  {
    auto tpm = open(loop, daemon);
    for (auto& each : ended) tpm.async_submit(numbered(1), {.timeout = 1h}, each.handler());
    run_until(loop, [&] { return keeper.commands == 1; });
  }
  loop.restart();
  loop.run();
  for (const auto& each : ended) {
    REQUIRE(each.times == 1);
    REQUIRE(each.error == boost::asio::error::operation_aborted);
  }
  // A loop that goes first takes them along.
  auto left = std::make_unique<Loop>();
  auto tpm = open(*left, daemon);
  tpm.async_submit(numbered(1), ended[0].handler());
  tpm.close();
  left.reset();
  REQUIRE(ended[0].times == 1);
}

TEST_CASE("tbs/asio.hpp: a pool has its commands side by side, on a strand of several threads") {
  FakeDaemon daemon([](Peer& peer) {
    Keeper own;
    own.answers = true;
    own(peer);
  });
  Loop loop;
  auto strand = boost::asio::make_strand(loop);
  auto pool = tbs::async_pool<>::open(strand, 4, {.socket = daemon.path().c_str()});
  REQUIRE(pool.has_value());
  REQUIRE(pool->size() == 4);
  std::atomic<int> right = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    boost::asio::post(strand, [&, i] {
      pool->async_submit(numbered(i), [&, i](boost::system::error_code failed, Response response) {
        if (!failed && response == numbered(i)) ++right;
      });
    });
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { loop.run(); });
  threads.clear();
  REQUIRE(right == 200);
}

TEST_CASE("tbs/asio.hpp: a future is a completion token as well") {
  FakeDaemon daemon(tbs::test::echo);
  Loop loop;
  auto tpm = open(loop, daemon);
  auto response = tpm.async_submit(numbered(8), boost::asio::use_future);
  loop.run();
  REQUIRE(response.get() == numbered(8));
}
