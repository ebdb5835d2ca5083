// The kernel's node on a real kernel: run in the guest (tests/guest/run), with its emulated TPM
// slowed down so that commands last seconds. Beside every command a timer of 5 ms ticks in the same
// event loop; the longest gap between two ticks tells whether anything blocked the loop.
//
// What a gap may be is measured by the command, not by the clock: a virtual machine without
// hardware help stands still now and then, but never for a good part of a command of seconds.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <errno.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/char_device.h"
#include "tests/integration/device/device_run.h"
#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kTick = 5ms;

long milliseconds(Clock::duration duration) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// The longest gap between two ticks.
class Gaps {
 public:
  void restart() {
    last_ = Clock::now();
    worst_ = {};
    ticks_ = 0;
  }
  void tick() {
    const auto now = Clock::now();
    worst_ = std::max(worst_, now - last_);
    last_ = now;
    ++ticks_;
  }
  // Up to now.
  [[nodiscard]] Clock::duration worst() const { return std::max(worst_, Clock::now() - last_); }
  [[nodiscard]] int ticks() const { return ticks_; }

 private:
  Clock::time_point last_ = Clock::now();
  Clock::duration worst_{};
  int ticks_ = 0;
};

class GapMeter {
 public:
  explicit GapMeter(boost::asio::io_context& loop) : timer_(loop) { tick(); }

  void restart() {
    begin_ = Clock::now();
    in_loop_.restart();
    const std::lock_guard lock(mutex_);
    in_thread_.restart();
  }

  // Checks that the loop went on while something of this length of time was under way; false when
  // that was too short to tell.
  bool check(const std::string& what) {
    const Clock::duration length = Clock::now() - begin_;
    const std::lock_guard lock(mutex_);
    std::cout << "# " << what << ": " << milliseconds(length) << " ms, " << in_loop_.ticks()
              << " ticks, worst gap " << milliseconds(in_loop_.worst()) << " ms; in a thread "
              << milliseconds(in_thread_.worst()) << " ms" << std::endl;
    if (length < 250ms) return false;
    CHECK(in_loop_.worst() < in_thread_.worst() + length / 4);
    return true;
  }

 private:
  void tick() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      in_loop_.tick();
      tick();
    });
  }

  void tick_in_thread(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(kTick);
      const std::lock_guard lock(mutex_);
      in_thread_.tick();
    }
  }

  boost::asio::steady_timer timer_;
  Clock::time_point begin_ = Clock::now();
  Gaps in_loop_;
  std::mutex mutex_;
  Gaps in_thread_;
  std::jthread thread_{[this](const std::stop_token& stop) { tick_in_thread(stop); }};
};

// Changes the pace of the emulated TPM; false if that failed.
bool set_pace(const std::string& request) {
  const char* program = std::getenv("TBS_GUEST_EMULATOR");
  return program != nullptr && std::system((std::string(program) + " " + request).c_str()) == 0;
}

void emulator(const std::string& request) {
  REQUIRE(set_pace(request));
}

struct Fixture {
  Fixture()
      : device(loop, {.path = "/dev/tpm0"},
               [this](std::string notice) { notices.push_back(std::move(notice)); }),
        run(loop, device),
        meter(loop) {
    // The kernel may still be closing it for a process that was killed.
    auto opened = run.open();
    for (const auto end = Clock::now() + 60s;
         !opened && opened.error().error == EBUSY && Clock::now() < end; opened = run.open()) {
      std::this_thread::sleep_for(50ms);
    }
    if (!opened) FAIL(describe(opened.error()) + "; " + opened.error().advice);
    facts = *opened;
  }
  ~Fixture() {
    set_pace("slow off");
    run.close();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  boost::asio::io_context loop;
  std::vector<std::string> notices;
  device::CharDevice device;
  DeviceRun run;
  GapMeter meter;
  device::Facts facts;
};

}  // namespace

TEST_CASE("the loop goes on while a key is made for seconds", "[2.0]") {
  Fixture fixture;
  CHECK(fixture.facts.family == Family::Tpm20);
  CHECK(fixture.facts.interface_type == 1);
  CHECK_FALSE(fixture.facts.can_cancel);
  emulator("slow on 2:98");
  // Now and then the TPM finds a key at once.
  int checked = 0;
  for (int i = 0; i < 20 && checked < 3; ++i) {
    fixture.meter.restart();
    const auto key = fixture.run.transmit(create_primary_rsa(2048));
    if (fixture.meter.check("CreatePrimary")) ++checked;
    REQUIRE(key.has_value());
    REQUIRE(response_code(*key) == kRcSuccess);
    REQUIRE(fixture.run.code(flush_context(response_handle(*key))) == kRcSuccess);
  }
  CHECK(checked == 3);
}

TEST_CASE("many commands in a row", "[2.0]") {
  Fixture fixture;
  for (int i = 0; i < 200; ++i) REQUIRE(fixture.run.code(get_random(16)) == kRcSuccess);
}

TEST_CASE("the loop goes on while a node with a running command is closed", "[2.0]") {
  Fixture fixture;
  emulator("freeze 1500");
  fixture.run.begin(create_primary_rsa(2048));
  fixture.run.run_for(50ms);
  REQUIRE_FALSE(fixture.run.finished());
  fixture.meter.restart();
  fixture.run.close();
  CHECK(fixture.meter.check("close"));
  CHECK_FALSE(fixture.run.finish().has_value());
  REQUIRE(fixture.run.open().has_value());
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);
  CHECK(fixture.run.code(flush_context(0x80000000)) == kRcSuccess);  // the key of nobody
}

TEST_CASE("the holder of a busy node is named", "[2.0]") {
  Fixture fixture;
  device::CharDevice second(fixture.loop, {.path = "/dev/tpm0"}, [](const std::string&) {});
  DeviceRun run(fixture.loop, second);
  const auto refused = run.open();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().error == EBUSY);
  std::cout << "# " << describe(refused.error()) << ": " << refused.error().advice << std::endl;
  CHECK_THAT(refused.error().advice, Catch::Matchers::ContainsSubstring("char_device_pro"));
}

TEST_CASE("errors of a write and of a command", "[2.0]") {
  Fixture fixture;
  proto::Buffer longer_than_sent = get_random(8);
  longer_than_sent[5] = 200;
  const auto invalid = fixture.run.transmit(longer_than_sent);
  REQUIRE_FALSE(invalid.has_value());
  CHECK(invalid.error().error == EINVAL);
  CHECK_FALSE(invalid.error().reopen);
  CHECK(fixture.run.code(get_random(8)) == kRcSuccess);

  // Frozen for longer than the driver waits for so short a command.
  emulator("freeze 6000");
  fixture.meter.restart();
  const auto late = fixture.run.transmit(get_random(8));
  CHECK(fixture.meter.check("GetRandom of a frozen TPM"));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().error == ETIME);
  CHECK_FALSE(late.error().reopen);
  // The TPM may still answer what the driver gave up: give it a few tries.
  bool works = false;
  for (int i = 0; i < 20 && !works; ++i) {
    const auto again = fixture.run.transmit(get_random(8));
    works = again && response_code(*again) == kRcSuccess;
    if (!works) fixture.run.run_for(500ms);
  }
  CHECK(works);
}

TEST_CASE("a cancel through sysfs blocks neither the loop nor the answer", "[1.2]") {
  const proto::Buffer self_test{0, 0xC1, 0, 0, 0, 10, 0, 0, 0, 0x50};
  const proto::Buffer random{0, 0xC1, 0, 0, 0, 14, 0, 0, 0, 0x46, 0, 0, 0, 8};
  Fixture fixture;
  CHECK(fixture.facts.family == Family::Tpm12);
  CHECK(fixture.facts.can_cancel);
  for (int i = 0; i < 2; ++i) {
    emulator("freeze 1500");
    fixture.meter.restart();
    fixture.run.begin(self_test);
    fixture.run.run_for(20ms);
    REQUIRE_FALSE(fixture.run.finished());
    fixture.device.cancel();
    const auto response = fixture.run.finish();
    CHECK(fixture.meter.check("SelfTestFull and a cancel"));
    if (!response) CHECK(response.error().error == ECANCELED);
    // Held back until the attribute was written, and then carried out.
    CHECK(fixture.run.code(random) == 0);
  }
  CHECK(fixture.notices.empty());
}
