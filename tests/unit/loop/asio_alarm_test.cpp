#include "daemon/loop/asio_alarm.h"

#include <string>

#include "tests/support/catch2.h"

using namespace std::chrono_literals;
using tbs::loop::AsioAlarm;

namespace {

// Long enough never to be reached; no test waits for it.
constexpr auto kFarAway = 1h;

struct Fixture {
  boost::asio::io_context loop;
  AsioAlarm alarm{loop};
  std::string calls;

  auto note(const char* name) {
    return [this, name] { calls += name; };
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an alarm calls once, from the loop", "[loop]") {
  alarm.set(0ms, note("a"));
  CHECK(calls.empty());
  loop.run();
  CHECK(calls == "a");
  loop.restart();
  loop.run();
  CHECK(calls == "a");
}

TEST_CASE_METHOD(Fixture, "what is set anew takes the place of what was set", "[loop]") {
  alarm.set(kFarAway, note("a"));
  alarm.set(0ms, note("b"));
  loop.run();
  CHECK(calls == "b");
}

TEST_CASE_METHOD(Fixture, "an alarm that is due can still be replaced or cancelled", "[loop]") {
  boost::asio::steady_timer other(loop);
  other.expires_after(0ms);
  SECTION("replaced") {
    other.async_wait([this](const boost::system::error_code&) { alarm.set(0ms, note("b")); });
    alarm.set(0ms, note("a"));
    loop.run();
    CHECK(calls == "b");
  }
  SECTION("cancelled") {
    other.async_wait([this](const boost::system::error_code&) { alarm.cancel(); });
    alarm.set(0ms, note("a"));
    loop.run();
    CHECK(calls.empty());
  }
}

TEST_CASE_METHOD(Fixture, "a cancelled alarm leaves the loop without work", "[loop]") {
  alarm.set(kFarAway, note("a"));
  alarm.cancel();
  loop.run();
  CHECK(calls.empty());
}

TEST_CASE_METHOD(Fixture, "an alarm may be set from its own call", "[loop]") {
  alarm.set(0ms, [this] {
    calls += "a";
    alarm.set(0ms, note("b"));
  });
  loop.run();
  CHECK(calls == "ab");
}
