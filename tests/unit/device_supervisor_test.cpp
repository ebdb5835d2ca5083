#include "daemon/device_supervisor.h"

#include <cerrno>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace std::chrono_literals;

namespace {

// Does nothing by itself: the test ends what was begun.
class ScriptedDevice final : public device::Transceiver {
 public:
  void open(OpenHandler handler) override {
    REQUIRE_FALSE(opening);
    ++opens;
    opening = std::move(handler);
  }
  void transmit(std::span<const std::uint8_t>, std::uint8_t, ResponseHandler) override {
    FAIL("the supervisor sends nothing");
  }
  void cancel() override { FAIL("the supervisor cancels nothing"); }
  void close(CloseHandler handler) override {
    ++closes;
    closing.push_back(std::move(handler));
  }
  [[nodiscard]] std::string_view name() const override { return "/dev/tpm7"; }

  void succeed() { std::exchange(opening, nullptr)(device::Facts{.interface_type = 4}); }
  void fail(device::Failure failure) {
    std::exchange(opening, nullptr)(std::unexpected(std::move(failure)));
  }
  void finish_close() {
    REQUIRE_FALSE(closing.empty());
    CloseHandler handler = std::move(closing.front());
    closing.pop_front();
    handler();
  }

  OpenHandler opening;
  std::deque<CloseHandler> closing;
  int opens = 0;
  int closes = 0;
};

class HandAlarm final : public Alarm {
 public:
  void set(Duration after, Call call) override {
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(after));
    call_ = std::move(call);
  }
  void cancel() override { call_ = nullptr; }

  [[nodiscard]] bool is_set() const { return call_ != nullptr; }
  void ring() {
    REQUIRE(is_set());
    std::exchange(call_, nullptr)();
  }

  std::vector<std::chrono::milliseconds> pauses;

 private:
  Call call_;
};

const device::Failure kMissing{
    .operation = "open /dev/tpm7", .error = ENOENT, .advice = "switch it on"};
const device::Failure kBusy{.operation = "open /dev/tpm7", .error = EBUSY};

struct Fixture {
  ScriptedDevice device;
  HandAlarm alarm;
  std::vector<std::string> log;
  int opened = 0;
  int looks = 0;
  std::vector<int> unavailable;
  DeviceSupervisor supervisor{
      device,
      alarm,
      {.opened =
           [this](const device::Facts& facts) {
             CHECK(facts.interface_type == 4);
             ++opened;
           },
       .unavailable =
           [this](const device::Failure& failure) { unavailable.push_back(failure.error); },
       .look = [this] { ++looks; },
       .lost = [this](const std::string& text) { log.push_back("lost: " + text); },
       .back = [this](const std::string& text) { log.push_back("back: " + text); }}};

  void fail(const device::Failure& failure) {
    device.fail(failure);
    device.finish_close();
  }
  // Fails to open, and waits for the next attempt.
  void fail_and_ring(const device::Failure& failure) {
    fail(failure);
    alarm.ring();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a device that opens is told of once, without a word in the log",
                 "[supervisor]") {
  supervisor.open();
  CHECK(opened == 0);
  device.succeed();
  supervisor.settled();
  CHECK(opened == 1);
  CHECK(supervisor.last_error() == 0);
  CHECK_FALSE(alarm.is_set());
  CHECK(log.empty());
}

TEST_CASE_METHOD(Fixture, "a device that is not there is tried again with growing pauses",
                 "[supervisor]") {
  supervisor.open();
  for (int attempt = 0; attempt < 10; ++attempt) fail_and_ring(kMissing);
  CHECK(alarm.pauses ==
        std::vector{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms, 5000ms});
  CHECK(device.opens == 11);
  CHECK(unavailable == std::vector<int>(10, ENOENT));
  CHECK(supervisor.last_error() == ENOENT);
  device.succeed();
  CHECK(opened == 1);
  CHECK(supervisor.last_error() == 0);
}

TEST_CASE_METHOD(Fixture, "no attempt is made while another is under way", "[supervisor]") {
  supervisor.open();
  CHECK_FALSE(alarm.is_set());
  fail(kMissing);
  CHECK(alarm.is_set());
  CHECK(device.opens == 1);
  alarm.ring();
  CHECK(device.opens == 2);
  CHECK_FALSE(alarm.is_set());
}

TEST_CASE_METHOD(Fixture, "what a failed attempt has left is closed before the next one",
                 "[supervisor]") {
  supervisor.open();
  for (int round = 1; round <= 40; ++round) {
    device.fail(kBusy);
    CHECK(device.closes == round);
    CHECK_FALSE(alarm.is_set());
    device.finish_close();
    alarm.ring();
    CHECK(device.opens == round + 1);
  }
  device.succeed();
  CHECK(opened == 1);
}

TEST_CASE_METHOD(Fixture, "each new reason is told once, with advice", "[supervisor]") {
  supervisor.open();
  fail_and_ring(kMissing);
  fail_and_ring(kMissing);
  fail_and_ring(kBusy);
  fail_and_ring(kBusy);
  fail_and_ring(kMissing);
  fail_and_ring({.operation = "the TPM does not answer"});
  CHECK(log == std::vector<std::string>{
                   "lost: TPM /dev/tpm7: open /dev/tpm7: No such file or directory; switch it on",
                   "lost: TPM /dev/tpm7: open /dev/tpm7: Device or resource busy",
                   "lost: TPM /dev/tpm7: open /dev/tpm7: No such file or directory; switch it on",
                   "lost: TPM /dev/tpm7: the TPM does not answer"});
}

TEST_CASE_METHOD(Fixture, "a device that is lost is closed, then opened after a pause",
                 "[supervisor]") {
  supervisor.open();
  device.succeed();
  supervisor.settled();
  supervisor.reopen("read from /dev/tpm7: Input/output error");
  REQUIRE(log.size() == 1);
  CHECK(log.front().contains("Input/output error; waiting commands were answered TBS_E_IOERROR"));
  CHECK(device.closes == 1);
  CHECK_FALSE(alarm.is_set());
  CHECK(device.opens == 1);
  device.finish_close();
  CHECK(alarm.pauses == std::vector{50ms});
  CHECK(device.opens == 1);
  alarm.ring();
  CHECK(device.opens == 2);
  device.succeed();
  CHECK(opened == 2);
  supervisor.settled();
  CHECK(log.back() == "back: TPM /dev/tpm7 is back");
}

TEST_CASE_METHOD(Fixture, "open is not yet in use: pauses go on growing until the TPM works",
                 "[supervisor]") {
  supervisor.open();
  for (int round = 0; round < 3; ++round) {
    device.succeed();
    supervisor.reopen("the TPM does not start");
    device.finish_close();
    alarm.ring();
  }
  CHECK(alarm.pauses == std::vector{50ms, 100ms, 200ms});
}

TEST_CASE_METHOD(Fixture, "pauses grow for a TPM that works for a moment only, too",
                 "[supervisor]") {
  supervisor.open();
  const auto die = [this] {
    device.succeed();
    supervisor.settled();
    supervisor.reopen("its process ended");
    device.finish_close();
  };
  for (int round = 0; round < 4; ++round) {
    die();
    alarm.ring();
  }
  // Between them: how long it has to work until it counts as healthy.
  CHECK(alarm.pauses == std::vector{50ms, 100ms, 100ms, 200ms, 200ms, 400ms, 400ms});
  device.succeed();
  supervisor.settled();
  CHECK(alarm.pauses.back() == 800ms);
  alarm.ring();
  supervisor.reopen("its process ended");
  device.finish_close();
  CHECK(alarm.pauses.back() == 50ms);
}

TEST_CASE_METHOD(Fixture, "the same reason after the TPM has worked is told again",
                 "[supervisor]") {
  supervisor.open();
  device.succeed();
  supervisor.settled();
  for (int round = 0; round < 2; ++round) {
    supervisor.reopen("gone");
    device.finish_close();
    alarm.ring();
    device.succeed();
    supervisor.settled();
  }
  REQUIRE(log.size() == 4);
  CHECK(log[0] == log[2]);
  CHECK(log[1] == log[3]);
}

TEST_CASE_METHOD(Fixture, "a TPM that is of no use is looked at again, without closing its device",
                 "[supervisor]") {
  supervisor.open();
  device.succeed();
  for (int round = 1; round <= 3; ++round) {
    supervisor.look_later("in failure mode", "switch it off");
    CHECK(supervisor.problem() == "in failure mode");
    CHECK(supervisor.advice() == "switch it off");
    alarm.ring();
    CHECK(looks == round);
  }
  CHECK(alarm.pauses == std::vector{50ms, 100ms, 200ms});
  CHECK(log == std::vector<std::string>{"lost: TPM /dev/tpm7: in failure mode; switch it off"});
  supervisor.settled();
  CHECK(log.back() == "back: TPM /dev/tpm7 is back");
  CHECK(supervisor.problem().empty());
  CHECK(supervisor.advice().empty());
  CHECK(device.opens == 1);
  CHECK(device.closes == 0);
}

TEST_CASE_METHOD(Fixture, "a TPM that is at work on what was given up is told of until it answers",
                 "[supervisor]") {
  supervisor.open();
  device.succeed();
  supervisor.keeps_working("read: ETIME");
  supervisor.keeps_working("read: ETIME");
  CHECK(supervisor.problem().contains("read: ETIME"));
  CHECK_FALSE(supervisor.advice().empty());
  supervisor.settled();
  CHECK(supervisor.problem().empty());
  CHECK(log.size() == 2);
  CHECK(log.back() == "back: TPM /dev/tpm7 is back");
  CHECK(device.opens == 1);
  CHECK(device.closes == 0);
}

TEST_CASE_METHOD(Fixture, "after the end nothing is opened", "[supervisor]") {
  bool closed = false;
  const auto close = [&] { supervisor.close([&] { closed = true; }); };
  supervisor.open();
  SECTION("while it waits for the next attempt") {
    fail(kMissing);
    close();
    CHECK_FALSE(alarm.is_set());
  }
  SECTION("while an attempt is under way that fails") {
    close();
    device.fail(kMissing);
    CHECK(unavailable.empty());
    CHECK(log.empty());
  }
  SECTION("while a failed attempt is being closed") {
    device.fail(kMissing);
    close();
    device.finish_close();
  }
  SECTION("while an attempt is under way that succeeds") {
    close();
    device.succeed();
    CHECK(opened == 0);
  }
  SECTION("while it is being closed to be opened again") {
    device.succeed();
    supervisor.reopen("gone");
    close();
    device.finish_close();
  }
  SECTION("when it is found to be lost afterwards") {
    device.succeed();
    close();
    supervisor.reopen("gone");
    CHECK(device.closes == 1);
    CHECK(log.empty());
  }
  device.finish_close();
  CHECK(closed);
  CHECK_FALSE(alarm.is_set());
  CHECK(device.opens == 1);
}

TEST_CASE_METHOD(Fixture,
                 "a device that somebody else has is closed, and not opened before it is back",
                 "[supervisor]") {
  supervisor.open();
  device.succeed();
  int closed = 0;
  supervisor.pause("it is taken", "wait", [&] { ++closed; });
  CHECK(supervisor.problem() == "it is taken");
  CHECK(closed == 0);
  device.finish_close();
  CHECK(closed == 1);
  // What comes late is no reason to open it.
  supervisor.reopen("a late failure");
  supervisor.look_later("a late look", "");
  supervisor.open();
  CHECK(device.opens == 1);
  CHECK_FALSE(alarm.is_set());
  supervisor.resume();
  CHECK(device.opens == 2);
  // Who had it may still hold on to it.
  fail_and_ring(kBusy);
  CHECK(alarm.pauses.back() == DeviceSupervisor::kFirstPause);
  device.succeed();
  supervisor.settled();
  CHECK(supervisor.problem().empty());
  CHECK(opened == 2);
}

TEST_CASE_METHOD(Fixture,
                 "a device can be taken back while it is closed, and given away while it opens",
                 "[supervisor]") {
  int closed = 0;
  SECTION("taken back") {
    supervisor.open();
    device.succeed();
    supervisor.pause("it is taken", "wait", [&] { ++closed; });
    supervisor.resume();
    CHECK(device.opens == 1);
    device.finish_close();
    CHECK(closed == 0);
    CHECK(device.opens == 2);
  }
  SECTION("given away") {
    supervisor.open();
    supervisor.pause("it is taken", "wait", [&] { ++closed; });
    device.succeed();
    CHECK(opened == 0);
    device.finish_close();
    CHECK(closed == 1);
  }
  SECTION("given away while it is tried again") {
    supervisor.open();
    fail(kMissing);
    supervisor.pause("it is taken", "wait", [&] { ++closed; });
    CHECK_FALSE(alarm.is_set());
    device.finish_close();
    CHECK(closed == 1);
    CHECK(device.opens == 1);
  }
}
