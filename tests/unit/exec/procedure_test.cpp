#include "daemon/exec/procedure.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "daemon/exec/client_phases.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::exec;
using namespace std::chrono_literals;
using proto::Status;

namespace {

// Commands and response codes of a family of the test's own.
constexpr std::uint32_t kSelfTest = 10;
constexpr std::uint32_t kOperation = 11;
constexpr std::uint32_t kOwnCommand = 12;
constexpr std::uint32_t kGood = 0;
constexpr std::uint32_t kBusy = 1;
constexpr std::uint32_t kUntested = 2;
constexpr std::uint32_t kWorn = 3;

Readiness readiness_of(std::uint32_t code) {
  if (code == kBusy) return Readiness::Later;
  if (code == kWorn) return Readiness::NvLater;
  return code == kUntested ? Readiness::SelfTest : Readiness::Ready;
}
std::chrono::seconds deadline_of(std::uint32_t) {
  return 5s;
}
proto::Buffer bytes_of(std::uint32_t code) {
  return proto::tpm_error_response(tpm::kTagNoSessions, code);
}
proto::Buffer self_test() {
  return bytes_of(kSelfTest);
}
constexpr TpmFamily kFamily{readiness_of, deadline_of, self_test, 3};

// Does as many operations as it is told, then sends a command of its own.
class Work final : public Procedure {
 public:
  Work(ManagerState& state, int operations) : Procedure(state, kFamily), left_(operations) {}

  std::vector<std::uint32_t> codes;  // heard of operations
  bool leaves = false;

 private:
  bool leaves_for_later() override { return leaves; }
  Step next() override {
    if (withdrawn()) return given_up();
    return left_-- > 0 ? operate(bytes_of(kOperation)) : send(bytes_of(kOwnCommand), 2, true);
  }
  Step answered(proto::Bytes response, std::uint32_t) override {
    return done(proto::Buffer(response.begin(), response.end()));
  }
  Step operation_answered(proto::Bytes, std::uint32_t code) override {
    codes.push_back(code);
    return next();
  }

  int left_;
};

struct World {
  Observer observer;
  ManagerState state{Options{}, observer};
};

std::uint32_t sent(const Step& step) {
  return proto::read_tpm_header(std::get<Transmit>(step).command)->code;
}

}  // namespace

TEST_CASE("back-off doubles, has a longest pause, and ends", "[exec][backoff]") {
  using std::chrono::milliseconds;
  Backoff backoff(milliseconds(5000));
  milliseconds sum{0};
  milliseconds longest{0};
  int pauses = 0;
  while (const auto pause = backoff.next()) {
    sum += *pause;
    longest = std::max(longest, *pause);
    ++pauses;
  }
  CHECK(sum == milliseconds(5000));
  CHECK(longest == milliseconds(1000));
  CHECK(pauses < 20);
}

TEST_CASE("a procedure does its operations, then sends what it is about", "[exec][procedure]") {
  World world;
  Work work(world.state, 2);
  CHECK(sent(work.start()) == kOperation);
  CHECK(world.state.active_executions == 1);
  CHECK(sent(work.on_response(bytes_of(kGood))) == kOperation);
  const Step last = work.on_response(bytes_of(7));
  CHECK(sent(last) == kOwnCommand);
  CHECK(std::get<Transmit>(last).client_command);
  CHECK(std::get<Transmit>(last).locality == 2);
  CHECK(work.codes == std::vector<std::uint32_t>{kGood, 7});
  const Step end = work.on_response(bytes_of(9));
  CHECK(std::get<Done>(end).response == bytes_of(9));
  CHECK(world.state.active_executions == 0);
  CHECK(world.state.statistics.transmissions == 3);
}

TEST_CASE("the same bytes are sent again until the deadline of the command", "[exec][procedure]") {
  World world;
  Work work(world.state, 1);
  Step step = work.start();
  std::chrono::milliseconds waited{0};
  while (work.codes.empty()) {
    step = work.on_response(bytes_of(kBusy));
    if (const auto* const pause = std::get_if<Pause>(&step)) {
      waited += pause->duration;
      step = work.on_pause_over();
      CHECK(sent(step) == kOperation);
    }
  }
  CHECK(waited == 5s);
  CHECK(work.codes.front() == kBusy);  // that is the answer then
  // The next command has pauses of its own.
  CHECK(std::get<Pause>(work.on_response(bytes_of(kBusy))).duration == 1ms);
}

TEST_CASE("a procedure that others may come before ends when the TPM is not ready",
          "[exec][procedure][later]") {
  World world;
  const auto [code, later] =
      GENERATE(std::pair(kBusy, Later::Command), std::pair(kWorn, Later::NvWrites));
  {
    Work work(world.state, 1);
    work.leaves = true;
    work.start();
    SECTION("with what the TPM has said") {
      const Step end = work.on_response(bytes_of(code));
      CHECK(std::get<Done>(end).later == later);
      CHECK(std::get<Done>(end).status == Status::Success);
      CHECK(std::get<Done>(end).response == bytes_of(code));
      CHECK(world.state.statistics.waits == 1);
    }
    SECTION("as given up, when it was withdrawn") {
      work.withdraw();
      const Step end = work.on_response(bytes_of(code));
      CHECK(std::get<Done>(end).later == Later::No);
      CHECK(std::get<Done>(end).status == Status::CommandCanceled);
    }
  }
  // Nothing is under way, and nothing in doubt.
  CHECK(world.state.active_executions == 0);
  CHECK_FALSE(world.state.check_due);
}

TEST_CASE("a self-test is asked for once", "[exec][procedure]") {
  World world;
  Work work(world.state, 1);
  work.start();
  CHECK(sent(work.on_response(bytes_of(kUntested))) == kSelfTest);
  CHECK(sent(work.on_response(bytes_of(kBusy))) == kOperation);  // whatever the self-test says
  CHECK(sent(work.on_response(bytes_of(kUntested))) == kOwnCommand);
  CHECK(work.codes == std::vector<std::uint32_t>{kUntested});
}

TEST_CASE("a procedure that is withdrawn while it waits gives up", "[exec][procedure]") {
  World world;
  Work work(world.state, 0);
  work.start();
  REQUIRE(std::holds_alternative<Pause>(work.on_response(bytes_of(kBusy))));
  work.withdraw();
  CHECK(std::get<Done>(work.on_pause_over()).status == Status::CommandCanceled);
  CHECK(world.state.active_executions == 0);
}

TEST_CASE("too many operations, and bytes that are no response, are an end", "[exec][procedure]") {
  World world;
  Work work(world.state, 100);
  Step step = work.start();
  SECTION("operations") {
    int operations = 0;
    for (; std::holds_alternative<Transmit>(step) && operations < 100; ++operations) {
      step = work.on_response(bytes_of(kGood));
    }
    CHECK(operations == 3);
  }
  SECTION("bytes") {
    proto::Buffer cut = bytes_of(kGood);
    cut.pop_back();
    step = work.on_response(cut);
  }
  CHECK(std::get<Done>(step).status == Status::IoError);
  CHECK(world.state.check_due);
  CHECK(world.state.active_executions == 0);
}

TEST_CASE("what closed contexts own stays while an execution is at work", "[exec][procedure]") {
  World world;
  world.state.closed.push_back(ContextId{4});
  {
    Work work(world.state, 1);
    work.start();
    CHECK(world.state.take_closed().empty());
  }
  CHECK(world.state.take_closed() == std::vector{ContextId{4}});
  CHECK(world.state.take_closed().empty());
}

namespace {

// Writes down which phases it goes through; goes back from After to Decide once.
struct Walk final : ClientPhases {
  std::string seen;
  bool again = true;

  bool go() { return std::holds_alternative<Transmit>(proceed()); }

 private:
  std::optional<Step> note(char letter) {
    seen += letter;
    return std::nullopt;
  }
  std::optional<Step> look() override {
    if (phase_ == Phase::Check) return note('c');
    if (std::exchange(again, false)) phase_ = Phase::Decide;
    return note('a');
  }
  std::optional<Step> decide() override { return note('d'); }
  std::optional<Step> prepare() override { return note('p'); }
  Step transmit() override {
    note('t');
    phase_ = Phase::After;
    return Transmit{.command = bytes_of(kOwnCommand)};
  }
  std::optional<Step> undo() override { return note('u'); }
  std::optional<Step> verify() override { return note('v'); }
  Step reply() override { return Done{}; }
};

}  // namespace

TEST_CASE("a client's command goes through its phases, and back", "[exec][phases]") {
  Walk walk;
  CHECK(walk.go());
  CHECK(walk.seen == "cdpt");
  CHECK(walk.go());
  CHECK(walk.seen == "cdptadpt");
  CHECK_FALSE(walk.go());
  CHECK(walk.seen == "cdptadptauv");
  CHECK_FALSE(walk.go());
}
