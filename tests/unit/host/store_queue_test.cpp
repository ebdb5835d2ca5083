#include "daemon/host/store_queue.h"

#include <vector>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;
using host::StoreQueue;
using Kind = StoreQueue::Message::Kind;

namespace {

// All that may go at this time, as text: + for what is stored, - for what is removed, | for a
// barrier.
std::string send_all(StoreQueue& queue, TimePoint now) {
  std::string sent;
  while (const StoreQueue::Message* message = queue.next(now)) {
    switch (message->kind) {
      case Kind::Store:
        sent += "+" + message->name + "=" + std::to_string(message->descriptor) + " ";
        break;
      case Kind::Remove:
        sent += "-" + message->name + " ";
        break;
      case Kind::Barrier:
        sent += "|" + std::to_string(message->barrier) + " ";
        break;
    }
    queue.take_sent();
  }
  return sent;
}

struct Fixture {
  std::string send() { return send_all(queue, now); }

  StoreQueue queue{{.burst = 2, .interval = 10ms, .clients = 4}};
  TimePoint now{};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "descriptors are stored and removed in order", "[host][store]") {
  queue.keep("record", 5);
  queue.keep("tpm-node", 6);
  CHECK(send() == "+record=5 +tpm-node=6 ");
  CHECK(queue.drop("tpm-node"));
  queue.barrier(1);
  CHECK(queue.drop("record"));
  CHECK(queue.waiting());
  CHECK(send() == "-tpm-node |1 -record ");
  CHECK_FALSE(queue.waiting());
}

TEST_CASE_METHOD(Fixture, "what is dropped before it was sent is never sent", "[host][store]") {
  queue.keep("record", 5);
  queue.keep("client-1", 6);
  CHECK_FALSE(queue.drop("record"));
  CHECK_FALSE(queue.drop("client-1"));
  CHECK_FALSE(queue.drop("client-2"));
  CHECK(send().empty());
}

TEST_CASE_METHOD(Fixture, "clients go at a pace, and others before them", "[host][store]") {
  for (int i = 1; i <= 4; ++i) queue.keep("client-" + std::to_string(i), i);
  queue.keep("record", 9);
  CHECK(send() == "+record=9 +client-1=1 +client-2=2 ");
  CHECK(queue.waiting());
  CHECK(send().empty());
  queue.keep("tpm-node", 8);
  CHECK(send() == "+tpm-node=8 ");
  now += 10ms;
  CHECK(send() == "+client-3=3 ");
  now += 1h;
  CHECK(send() == "+client-4=4 ");
  CHECK_FALSE(queue.waiting());
}

TEST_CASE_METHOD(Fixture, "what waits for its try does not use up the pace", "[host][store]") {
  queue.keep("client-1", 1);
  for (int i = 0; i < 10; ++i) REQUIRE(queue.next(now) != nullptr);
  queue.keep("client-2", 2);
  CHECK(send() == "+client-1=1 +client-2=2 ");
}

TEST_CASE_METHOD(Fixture, "there are never more clients than there is room for", "[host][store]") {
  queue.already_kept("client-1");
  queue.already_kept("client-1");
  queue.already_kept("client-2");
  for (int i = 3; i <= 6; ++i) queue.keep("client-" + std::to_string(i), i);
  CHECK(send() == "+client-3=3 +client-4=4 ");
  now += 1h;
  CHECK(send().empty());
  // Nothing to try again for until one leaves.
  CHECK_FALSE(queue.waiting());
  CHECK(queue.drop("client-2"));
  CHECK(send() == "-client-2 +client-5=5 ");
  CHECK_FALSE(queue.drop("client-6"));
  CHECK(queue.drop("client-1"));
  CHECK(send() == "-client-1 ");
}

TEST_CASE_METHOD(Fixture, "a name has one descriptor", "[host][store]") {
  queue.keep("record", 5);
  queue.keep("record", 6);
  CHECK(send() == "+record=6 ");
  queue.keep("record", 7);
  queue.keep("record", 8);
  CHECK(send() == "-record +record=8 ");
  queue.keep("client-1", 1);
  CHECK(send() == "+client-1=1 ");
  queue.keep("client-1", 2);
  CHECK(send() == "-client-1 +client-1=2 ");
}
