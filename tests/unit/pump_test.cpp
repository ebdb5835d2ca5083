#include "daemon/pump.h"

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/exec/pass_through.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace std::chrono_literals;
using proto::DeviceState;
using proto::Status;

namespace {

using Bytes = std::vector<std::uint8_t>;
using tpm::cc::kGetRandom;
using tpm::cc::kHash;

Bytes message(std::uint32_t code) {
  Bytes out;
  proto::ByteWriter writer(out);
  writer.be16(tpm::kTagNoSessions);
  writer.be32(proto::kTpmHeaderSize);
  writer.be32(code);
  return out;
}

// The response of GetCapability(TPM_PROPERTIES): one property, the manufacturer.
Bytes properties() {
  return tpm::properties_response(
      {.more = false, .items = {{.name = tpm::pt::kManufacturer, .value = 0x49424D20}}});
}

// Does nothing but what the test tells it.
class ScriptedTransceiver : public device::Transceiver {
 public:
  struct Sent {
    Bytes command;
    std::uint8_t locality;
  };

  void open(OpenHandler handler) override {
    ++opens;
    opening_ = std::move(handler);
  }
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                ResponseHandler handler) override {
    sent.push_back({{command.begin(), command.end()}, locality});
    responding_ = std::move(handler);
  }
  void cancel() override { ++cancels; }
  void want_power_cycle() override { ++power_cycles; }
  void on_loss(LossHandler handler) override { on_loss_ = std::move(handler); }
  void close(CloseHandler handler) override {
    ++closes;
    if (responding_) fail(EIO, true);
    closing_ = std::move(handler);
  }
  [[nodiscard]] std::string_view name() const override { return "scripted"; }

  void opened(const device::Facts& facts = {}) { std::exchange(opening_, nullptr)(facts); }
  void not_opened(int error) {
    std::exchange(opening_,
                  nullptr)(std::unexpected(device::Failure{.operation = "open", .error = error}));
  }
  void respond(Bytes response) { std::exchange(responding_, nullptr)(std::move(response)); }
  void fail(int error, bool reopen) {
    std::exchange(responding_, nullptr)(
        std::unexpected(device::Failure{.operation = "read", .error = error, .reopen = reopen}));
  }
  void closed() { std::exchange(closing_, nullptr)(); }
  void lose() { on_loss_({.operation = "its process ended"}); }

  [[nodiscard]] bool is_opening() const { return opening_ != nullptr; }
  [[nodiscard]] bool is_busy() const { return responding_ != nullptr; }

  int opens = 0;
  int closes = 0;
  int cancels = 0;
  int power_cycles = 0;
  std::vector<Sent> sent;

 private:
  OpenHandler opening_;
  ResponseHandler responding_;
  CloseHandler closing_;
  LossHandler on_loss_;
};

class Bench {
 public:
  Bench() {
    pump.start({.answer =
                    [this](sched::Answer answer) {
                      answers.push_back(std::move(answer));
                      if (on_answer) on_answer();
                    },
                .device_changed = [this] { states.push_back(pump.device().state); }});
  }

  // The device opens, and the TPM is found started.
  void bring_up(const device::Facts& facts = {}) {
    device.opened(facts);
    device.respond(message(tpm::rc::kInitialize));
    device.respond(properties());
    device.sent.clear();
  }
  void ready(const device::Facts& facts = {}) {
    bring_up(facts);
    pump.open_context(kContext, principal_of(UserId{1000}));
    states.clear();
  }
  void submit(std::uint64_t id, std::uint32_t code, std::uint8_t locality = 0) {
    pump.submit(test::client_command({.context = kContext,
                                      .request = RequestId{id},
                                      .locality = locality,
                                      .bytes = message(code)}));
  }
  // Lets timers run until it is so. The bound is for a test that has failed already.
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto patience = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < patience) {
      io.restart();
      io.run_one_for(100ms);
    }
    return condition();
  }
  [[nodiscard]] std::vector<std::pair<std::uint64_t, Status>> answered() const {
    std::vector<std::pair<std::uint64_t, Status>> list;
    for (const auto& answer : answers) {
      list.emplace_back(static_cast<std::uint64_t>(answer.request), answer.status);
    }
    return list;
  }

  static constexpr ContextId kContext{5};

  boost::asio::io_context io;
  ScriptedTransceiver device;
  exec::TpmIdentity identity;
  exec::PassThrough engine{identity};
  Pump pump{io, device, engine, identity, {.dispatcher = {.deadline_of = [](std::uint32_t) {
                                             return 60s;
                                           }}}};
  std::vector<sched::Answer> answers;
  std::vector<DeviceState> states;
  std::function<void()> on_answer;
};

using Answers = std::vector<std::pair<std::uint64_t, Status>>;

}  // namespace

TEST_CASE("the device is opened and the TPM started", "[pump]") {
  Bench bench;
  CHECK(bench.device.opens == 1);
  CHECK(bench.pump.device().state == DeviceState::Starting);
  CHECK(bench.pump.device().missing == Status::ServiceStartPending);
  bench.device.opened({.interface_type = 3, .localities = true});
  REQUIRE(bench.device.sent.size() == 1);
  CHECK(bench.states.empty());
  bench.device.respond(message(tpm::rc::kInitialize));
  bench.device.respond(properties());
  CHECK(bench.states == std::vector{DeviceState::Ready});
  const auto view = bench.pump.device();
  CHECK(view.name == "scripted");
  CHECK(view.interface_type == 3);
  CHECK(view.localities);
  CHECK(view.max_command == 4096);
  CHECK(view.times_lost == 0);
  CHECK(bench.pump.identity().manufacturer == "IBM");
}

TEST_CASE("a device that cannot be opened is tried again", "[pump]") {
  Bench bench;
  bench.device.not_opened(ENOENT);
  CHECK(bench.pump.device().problem == "open: No such file or directory");
  bench.device.closed();
  CHECK(bench.states == std::vector{DeviceState::Down});
  CHECK(bench.pump.device().missing == Status::TpmNotFound);
  CHECK(bench.eventually([&] { return bench.device.is_opening(); }));
  bench.device.not_opened(EBUSY);
  bench.device.closed();
  CHECK(bench.pump.device().missing == Status::ServiceStartPending);
  CHECK(bench.eventually([&] { return bench.device.is_opening(); }));
  bench.bring_up();
  CHECK(bench.states.back() == DeviceState::Ready);
  CHECK(bench.device.opens == 3);
}

TEST_CASE("a command reaches the device, and its response the submitter", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(7, kGetRandom, 3);
  REQUIRE(bench.device.sent.size() == 1);
  CHECK(bench.device.sent[0].command == message(kGetRandom));
  CHECK(bench.device.sent[0].locality == 3);
  CHECK(bench.answers.empty());
  bench.device.respond(message(0x22));
  REQUIRE(bench.answers.size() == 1);
  CHECK(bench.answers[0].context == Bench::kContext);
  CHECK(bench.answers[0].request == RequestId{7});
  CHECK(bench.answers[0].status == Status::Success);
  CHECK(bench.answers[0].response == message(0x22));
  CHECK(bench.pump.counters().answered == 1);
}

TEST_CASE("the TPM gets its next command before the last one is answered", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  CHECK(bench.pump.queued() == 1);
  std::size_t sent = 0;
  bench.on_answer = [&] { sent = bench.device.sent.size(); };
  bench.device.respond(message(0));
  CHECK(sent == 2);
}

TEST_CASE("an answer may bring the next command", "[pump]") {
  Bench bench;
  bench.ready();
  bench.on_answer = [&] {
    if (bench.answers.size() < 3) bench.submit(bench.answers.size() + 1, kGetRandom);
  };
  bench.submit(1, kGetRandom);
  for (int i = 0; i < 3; ++i) bench.device.respond(message(0));
  CHECK(bench.answered() ==
        Answers{{1, Status::Success}, {2, Status::Success}, {3, Status::Success}});
  CHECK_FALSE(bench.device.is_busy());
}

TEST_CASE("commands that come before the TPM was started wait for it", "[pump]") {
  Bench bench;
  bench.pump.open_context(Bench::kContext, principal_of(UserId{1000}));
  bench.submit(1, kGetRandom);
  CHECK(bench.pump.queued() == 1);
  bench.device.opened();
  bench.device.respond(message(tpm::rc::kInitialize));
  bench.device.respond(properties());
  CHECK(bench.device.sent.back().command == message(kGetRandom));
}

TEST_CASE("a lost device: all are answered, and it is opened again", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bench.device.fail(ENODEV, true);
  CHECK(bench.answered() == Answers{{1, Status::IoError}, {2, Status::IoError}});
  CHECK(bench.states.back() == DeviceState::Down);
  CHECK(bench.pump.device().times_lost == 1);
  CHECK(bench.pump.counters().failed == 2);
  CHECK(bench.device.closes == 1);
  bench.submit(3, kGetRandom);
  CHECK(bench.answers.back().status == Status::IoError);
  bench.device.closed();
  CHECK(bench.eventually([&] { return bench.device.is_opening(); }));
  bench.bring_up();
  CHECK(bench.states.back() == DeviceState::Ready);
  bench.submit(4, kGetRandom);
  bench.device.respond(message(0));
  CHECK(bench.answers.back().status == Status::Success);
}

TEST_CASE("a failure that leaves the device usable: the TPM is looked at, not the device opened",
          "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.device.fail(EIO, false);
  CHECK(bench.answered() == Answers{{1, Status::IoError}});
  CHECK(bench.device.closes == 0);
  CHECK(bench.device.is_busy());  // the bring-up
  CHECK(bench.pump.device().times_lost == 0);
}

TEST_CASE("a device that goes while nothing runs is opened again at once", "[pump]") {
  Bench bench;
  bench.ready();
  bench.device.lose();
  CHECK(bench.states.back() == DeviceState::Down);
  CHECK(bench.pump.device().problem == "its process ended");
  CHECK(bench.device.closes == 1);
  bench.device.closed();
  CHECK(bench.eventually([&] { return bench.device.is_opening(); }));
  bench.bring_up();
  CHECK(bench.states.back() == DeviceState::Ready);
  CHECK(bench.pump.device().problem.empty());
}

namespace {

// A command is answered TPM_RC_FAILURE, and so is what the look at the TPM then asks.
void fall_into_failure_mode(Bench& bench, const device::Facts& facts = {}) {
  bench.ready(facts);
  bench.submit(1, 0x17B);
  bench.device.respond(message(0x101));
  CHECK(bench.answered() == Answers{{1, Status::Success}});
  REQUIRE(bench.eventually([&] { return bench.device.is_busy(); }));
  bench.device.respond(message(0x101));
  bench.device.respond(message(0x101));
  CHECK(bench.states.back() == DeviceState::Down);
  CHECK(bench.pump.device().problem.contains("failure mode"));
  CHECK_FALSE(bench.pump.device().advice.empty());
}

}  // namespace

TEST_CASE("a TPM in failure mode is not ready, serves what it can, and is looked at again",
          "[pump]") {
  Bench bench;
  fall_into_failure_mode(bench);
  CHECK(bench.device.closes == 0);
  bench.submit(2, 0x17C);
  bench.device.respond(message(0));
  CHECK(bench.answered().back() == std::pair{std::uint64_t{2}, Status::Success});
  REQUIRE(bench.eventually([&] { return bench.device.is_busy(); }));
  bench.device.respond(message(0x100));
  bench.device.respond(properties());
  CHECK(bench.states.back() == DeviceState::Ready);
  CHECK(bench.pump.device().problem.empty());
  CHECK(bench.device.closes == 0);
  CHECK(bench.device.power_cycles == 0);
}

TEST_CASE("a TPM in failure mode gets a power cycle where there is a way", "[pump]") {
  Bench bench;
  fall_into_failure_mode(bench, {.can_power_cycle = true});
  REQUIRE(bench.eventually([&] { return bench.device.closes == 1; }));
  CHECK(bench.device.power_cycles == 1);
  bench.device.closed();
  REQUIRE(bench.eventually([&] { return bench.device.is_opening(); }));
  bench.bring_up({.can_power_cycle = true});
  CHECK(bench.states.back() == DeviceState::Ready);
}

TEST_CASE("one command that fails with TPM_RC_FAILURE does not make a TPM unusable", "[pump]") {
  Bench bench;
  bench.ready();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    bench.submit(id, 0x17B);
    bench.device.respond(message(0x101));
  }
  REQUIRE(bench.eventually([&] { return bench.device.is_busy(); }));
  bench.device.respond(message(0x100));
  bench.device.respond(properties());
  CHECK(bench.states == std::vector{DeviceState::Ready});
  CHECK_FALSE(bench.device.is_busy());
}

TEST_CASE("a response that is none: the TPM is looked at, and asked until it answers", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bench.device.respond({1, 2, 3});
  CHECK(bench.answered() == Answers{{1, Status::IoError}});
  bench.device.fail(ETIME, false);
  CHECK(bench.pump.device().state == DeviceState::Ready);
  CHECK(bench.pump.device().problem.contains("still at work"));
  CHECK_FALSE(bench.pump.device().advice.empty());
  CHECK(bench.eventually([&] { return bench.device.is_busy(); }));
  bench.device.respond(message(tpm::rc::kInitialize));
  bench.device.respond(properties());
  CHECK(bench.pump.device().problem.empty());
  bench.device.respond(message(0));
  CHECK(bench.answered() == Answers{{1, Status::IoError}, {2, Status::Success}});
  CHECK(bench.device.closes == 0);
}

TEST_CASE("what the device does not take for its length is told as that", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.device.fail(E2BIG, false);
  CHECK(bench.answered() == Answers{{1, Status::BufferTooLarge}});
  CHECK(bench.device.closes == 0);
  CHECK_FALSE(bench.device.is_busy());
}

TEST_CASE("what is queued is cancelled at once", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bench.pump.cancel(Bench::kContext, {});
  CHECK(bench.answered() == Answers{{2, Status::CommandCanceled}});
  CHECK(bench.device.cancels == 1);  // of the one that runs
  bench.device.fail(ECANCELED, false);
  CHECK(bench.answered().back() == std::pair{std::uint64_t{1}, Status::CommandCanceled});
}

TEST_CASE("a cancelled command that ends in time has its response", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.pump.cancel(Bench::kContext, {});
  bench.device.respond(message(0));
  CHECK(bench.answered() == Answers{{1, Status::Success}});
}

TEST_CASE("a cancelled command that does not end is detached", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.pump.cancel(Bench::kContext, {});
  CHECK(bench.eventually([&] { return !bench.answers.empty(); }));
  CHECK(bench.answered() == Answers{{1, Status::CommandCanceled}});
  CHECK(bench.pump.running_of(Bench::kContext).state == sched::RunState::Detached);
  bench.submit(2, kHash);
  CHECK(bench.pump.queued() == 1);
  bench.device.respond(message(0));
  CHECK(bench.device.sent.back().command == message(kHash));
  CHECK(bench.answers.size() == 1);
}

TEST_CASE("a context that closes is not answered", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bench.pump.close_context(Bench::kContext);
  CHECK(bench.pump.queued() == 0);
  bench.device.respond(message(0));
  CHECK(bench.answers.empty());
}

TEST_CASE("a stop answers, closes and says so", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bool stopped = false;
  bench.pump.stop([&] { stopped = true; });
  CHECK(bench.answered() == Answers{{2, Status::ServiceNotRunning}});
  bench.device.respond(message(0));
  CHECK(bench.answered().back() == std::pair{std::uint64_t{1}, Status::Success});
  CHECK(bench.device.closes == 1);
  CHECK_FALSE(stopped);
  bench.device.closed();
  CHECK(stopped);
}

TEST_CASE("whoever powers the TPM shuts it down", "[pump]") {
  Bench bench;
  bench.ready({.owns_power = true});
  bench.pump.stop([] {});
  REQUIRE(bench.device.sent.size() == 1);
  CHECK(proto::read_tpm_header(bench.device.sent[0].command)->code == tpm::cc::kShutdown);
  CHECK(bench.device.closes == 0);
  bench.device.respond(message(0));
  CHECK(bench.device.closes == 1);
}

TEST_CASE("a stop without a device ends as well", "[pump]") {
  Bench bench;
  bench.device.not_opened(ENOENT);
  bool stopped = false;
  bench.pump.stop([&] { stopped = true; });
  bench.device.closed();
  CHECK(stopped);
}

TEST_CASE("before the machine sleeps, what runs may end and what waits is kept", "[pump]") {
  Bench bench;
  bench.ready();
  bench.submit(1, kGetRandom);
  bench.submit(2, kHash);
  bool quiet = false;
  bench.pump.prepare_sleep([&] { quiet = true; });
  CHECK_FALSE(quiet);
  bench.device.respond(message(0));
  CHECK(quiet);
  CHECK(bench.answered() == Answers{{1, Status::Success}});
  CHECK(bench.pump.queued() == 1);
  bench.device.sent.clear();
  bench.pump.wake_up();
  bench.device.respond(message(tpm::rc::kInitialize));
  bench.device.respond(properties());
  CHECK(bench.device.sent.back().command == message(kHash));
}
