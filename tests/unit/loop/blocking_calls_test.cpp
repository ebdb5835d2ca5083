#include "daemon/loop/blocking_calls.h"

#include <atomic>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>

#include "tests/support/catch2.h"

using tbs::loop::BlockingCalls;
using Order = BlockingCalls::Order;
using AtEnd = BlockingCalls::AtEnd;

namespace {

// Shared with threads that may outlive the test's stack.
struct Gate {
  std::binary_semaphore begun{0};
  std::binary_semaphore open{0};
  std::binary_semaphore left{0};

  void pass() {
    begun.release();
    open.acquire();
    left.release();
  }
};

struct Fixture {
  boost::asio::io_context loop;
  std::vector<std::string> events;

  void note(const std::string& event) { events.push_back(event); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the result comes from the loop, and not before it runs", "[loop]") {
  for (const Order order : {Order::Parallel, Order::InOrder, Order::NewestOnly}) {
    BlockingCalls calls(loop, order, AtEnd::LeaveBehind);
    std::thread::id worker;
    std::thread::id taker;
    int result = 0;
    calls.run(
        [&worker] {
          worker = std::this_thread::get_id();
          return 42;
        },
        [&](int value) {
          taker = std::this_thread::get_id();
          result = value;
        });
    CHECK(result == 0);
    loop.run();  // has work until the result was taken
    loop.restart();
    CHECK(result == 42);
    CHECK(taker == std::this_thread::get_id());
    CHECK(worker != taker);
  }
}

TEST_CASE_METHOD(Fixture, "results that cannot be copied, or are nothing, come as well", "[loop]") {
  BlockingCalls calls(loop, Order::InOrder, AtEnd::LeaveBehind);
  calls.run([] { return std::make_unique<int>(7); },
            [this](std::unique_ptr<int> value) { note(std::to_string(*value)); });
  calls.run([text = std::make_unique<std::string>("x")] { text->append("y"); },
            [this] { note("nothing"); });
  calls.run([] {});
  loop.run();
  CHECK(events == std::vector<std::string>{"7", "nothing"});
}

TEST_CASE_METHOD(Fixture, "parallel calls do not wait for each other", "[loop]") {
  BlockingCalls calls(loop, Order::Parallel, AtEnd::LeaveBehind);
  const auto gate = std::make_shared<Gate>();
  // Each needs the other to go on.
  calls.run([gate] { gate->pass(); }, [this] { note("first"); });
  calls.run(
      [gate] {
        gate->begun.acquire();
        gate->open.release();
      },
      [this] { note("second"); });
  CHECK_FALSE(calls.waiting());
  loop.run();
  CHECK(events.size() == 2);
}

TEST_CASE_METHOD(Fixture, "calls in order begin when the one before was taken in", "[loop]") {
  BlockingCalls calls(loop, Order::InOrder, AtEnd::LeaveBehind);
  for (int i = 1; i <= 5; ++i) {
    const std::string number = std::to_string(i);
    // Not at the same time as the loop's own notes: that is what is tested.
    calls.run([this, number] { note("do " + number); }, [this, number] { note("then " + number); });
  }
  CHECK(calls.waiting());
  loop.run();
  CHECK(events == std::vector<std::string>{"do 1", "then 1", "do 2", "then 2", "do 3", "then 3",
                                           "do 4", "then 4", "do 5", "then 5"});
  CHECK_FALSE(calls.waiting());
}

TEST_CASE_METHOD(Fixture, "what `then` asks for waits behind what was asked before", "[loop]") {
  BlockingCalls calls(loop, Order::InOrder, AtEnd::LeaveBehind);
  calls.run([] {},
            [&] {
              note("first");
              calls.run([] {}, [this] { note("third"); });
            });
  calls.run([] {}, [this] { note("second"); });
  loop.run();
  CHECK(events == std::vector<std::string>{"first", "second", "third"});
}

TEST_CASE_METHOD(Fixture, "of what has not begun only the newest is done", "[loop]") {
  BlockingCalls calls(loop, Order::NewestOnly, AtEnd::LeaveBehind);
  const auto gate = std::make_shared<Gate>();
  calls.run([gate] { gate->pass(); }, [this] { note("first"); });
  for (const char* name : {"second", "third", "fourth"}) {
    calls.run([] {}, [this, name] { note(name); });
  }
  CHECK(calls.waiting());
  gate->open.release();
  loop.run();
  CHECK(events == std::vector<std::string>{"first", "fourth"});
}

TEST_CASE_METHOD(Fixture, "what has not begun can be dropped", "[loop]") {
  BlockingCalls calls(loop, Order::InOrder, AtEnd::LeaveBehind);
  const auto gate = std::make_shared<Gate>();
  calls.run([gate] { gate->pass(); }, [this] { note("first"); });
  calls.run([this] { note("work"); }, [this] { note("second"); });
  calls.drop_waiting();
  CHECK_FALSE(calls.waiting());
  gate->open.release();
  loop.run();
  CHECK(events == std::vector<std::string>{"first"});
  calls.run([] {}, [this] { note("later"); });
  loop.restart();
  loop.run();
  CHECK(events.back() == "later");
}

TEST_CASE_METHOD(Fixture, "the end leaves behind what is blocked", "[loop]") {
  const auto gate = std::make_shared<Gate>();
  const auto others = std::make_shared<std::atomic<int>>(0);
  {
    BlockingCalls calls(loop, Order::InOrder, AtEnd::LeaveBehind);
    calls.run([gate] { gate->pass(); }, [this] { note("then"); });
    calls.run([others] { ++*others; }, [this] { note("then"); });
    gate->begun.acquire();
  }
  gate->open.release();
  gate->left.acquire();
  loop.run();
  CHECK(events.empty());
  CHECK(*others == 0);
}

TEST_CASE_METHOD(Fixture, "the end can wait for all that was asked for", "[loop]") {
  for (const Order order : {Order::Parallel, Order::InOrder}) {
    const auto gate = std::make_shared<Gate>();
    std::atomic<int> done = 0;
    std::jthread opener;
    {
      BlockingCalls calls(loop, order, AtEnd::Finish);
      calls.run(
          [gate, &done] {
            gate->pass();
            ++done;
          },
          [this] { note("then"); });
      calls.run([&done] { ++done; }, [this] { note("then"); });
      gate->begun.acquire();
      opener = std::jthread([gate] { gate->open.release(); });
    }
    CHECK(done == 2);
  }
  loop.run();
  CHECK(events.empty());
}

TEST_CASE_METHOD(Fixture, "the newest is done at the end, the others are not", "[loop]") {
  const auto gate = std::make_shared<Gate>();
  {
    BlockingCalls calls(loop, Order::NewestOnly, AtEnd::Finish);
    calls.run([gate] { gate->pass(); });
    calls.run([this] { note("older"); });
    calls.run([this] { note("newest"); });
    gate->begun.acquire();
    gate->open.release();
  }
  CHECK(events == std::vector<std::string>{"newest"});
}

TEST_CASE_METHOD(Fixture, "`then` may be the end of the object", "[loop]") {
  for (const Order order : {Order::Parallel, Order::InOrder}) {
    auto calls = std::make_unique<BlockingCalls>(loop, order, AtEnd::LeaveBehind);
    calls->run([] {}, [&] { calls.reset(); });
    if (order == Order::InOrder) calls->run([] {}, [this] { note("never"); });
    loop.run();
    loop.restart();
    CHECK(calls == nullptr);
  }
  CHECK(events.empty());
}

TEST_CASE_METHOD(Fixture, "a result that nobody takes any more is dropped", "[loop]") {
  auto calls = std::make_unique<BlockingCalls>(loop, Order::Parallel, AtEnd::Finish);
  calls->run([] { return 1; }, [this](int) { note("taken"); });
  calls.reset();  // the result may be on its way to the loop
  loop.run();
  CHECK(events.empty());
}

TEST_CASE_METHOD(Fixture, "signals are left to the loop's thread", "[loop]") {
  BlockingCalls calls(loop, Order::Parallel, AtEnd::Finish);
  bool blocked = false;
  calls.run(
      [] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        return sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGHUP) == 1;
      },
      [&](bool value) { blocked = value; });
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGTERM) == 0);
  loop.run();
  CHECK(blocked);
}
