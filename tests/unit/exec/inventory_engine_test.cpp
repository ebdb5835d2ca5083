#include "daemon/exec/inventory_engine.h"

#include "daemon/exec/pass_through.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using exec::Done;
using exec::Step;
using exec::Transmit;
using proto::Buffer;

namespace {

// One command, and then the end.
class OneCommand final : public exec::Execution {
 public:
  explicit OneCommand(proto::Status status) : status_(status) {}

  Step start() override { return Transmit{.command = test::kShortCommand}; }
  Step on_response(proto::Bytes) override { return Done{.status = status_}; }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  proto::Status status_;
};

struct Behind final : exec::PassThrough {
  using PassThrough::PassThrough;
  std::unique_ptr<exec::Execution> bring_up() override {
    return std::make_unique<OneCommand>(status);
  }
  proto::Status status = proto::Status::Success;
};

class Bench {
 public:
  Bench() {
    engine.on_inventory([this](const tpm::Inventory& found) { told.push_back(found); });
  }

  // The command that the step sends.
  static Buffer sent(const Step& step) {
    const auto* const transmit = std::get_if<Transmit>(&step);
    REQUIRE(transmit != nullptr);
    CHECK_FALSE(transmit->client_command);
    return transmit->command;
  }
  void run_to_lists(exec::Execution& execution, Step step) {
    CHECK(sent(step)[9] == 0x81);  // ReadClock
    step = execution.on_response(clock());
    CHECK(sent(step)[14] == 0x01);  // from the first NV index
    step = execution.on_response(handles({0x01500001, 0x01500009}, true));
    CHECK(sent(step)[17] == 0x0A);  // from the one after the last
    step = execution.on_response(handles({0x0150000A}, false));
    CHECK(sent(step)[14] == 0x81);
    step = execution.on_response(handles({0x81000001}, false));
    CHECK(std::get<Done>(step).status == proto::Status::Success);
  }
  static Buffer handles(const std::vector<std::uint32_t>& list, bool more) {
    return tpm::handles_response(list, more);
  }
  // TPMS_TIME_INFO: time, clock, resets, restarts, safe.
  static Buffer clock() {
    Buffer bytes = {0x80, 0x01, 0, 0, 0, 35, 0, 0, 0, 0};
    proto::ByteWriter writer(bytes);
    writer.be32(0);
    writer.be32(5);
    writer.be32(0);
    writer.be32(77);
    writer.be32(3);
    writer.be32(1);
    writer.u8(1);
    return bytes;
  }

  exec::TpmIdentity identity{.family = Family::Tpm20};
  Behind behind{identity};
  exec::InventoryEngine engine{behind, identity};
  std::vector<tpm::Inventory> told;
};

}  // namespace

TEST_CASE("what the TPM holds is listed after the bring-up", "[exec][ownership]") {
  Bench bench;
  const auto execution = bench.engine.bring_up();
  CHECK(Bench::sent(execution->start()) == test::kShortCommand);
  bench.run_to_lists(*execution, execution->on_response(test::kShortCommand));
  REQUIRE(bench.told.size() == 1);
  CHECK(bench.told[0].nv_indices == std::vector<std::uint32_t>{0x01500001, 0x01500009, 0x0150000A});
  CHECK(bench.told[0].persistent_handles == std::vector<std::uint32_t>{0x81000001});
  CHECK(bench.told[0].age->milliseconds == 77);
  CHECK(bench.told[0].age->resets == 3);
  CHECK_FALSE(bench.told[0].same_tpm);
  CHECK(bench.engine.housekeeping() == nullptr);
}

TEST_CASE("a bring-up that fails, and a TPM that does not say", "[exec][ownership]") {
  Bench bench;
  bench.behind.status = proto::Status::IoError;
  auto execution = bench.engine.bring_up();
  execution->start();
  CHECK(std::get<Done>(execution->on_response(test::kShortCommand)).status ==
        proto::Status::IoError);
  bench.behind.status = proto::Status::Success;
  execution = bench.engine.bring_up();
  execution->start();
  execution->on_response(test::kShortCommand);
  execution->on_response(Bench::clock());
  const Buffer failure = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 1};
  CHECK(std::get<Done>(execution->on_response(failure)).status == proto::Status::Success);
  CHECK(bench.told.empty());
}

TEST_CASE("a look is due after a command that sweeps", "[exec][ownership]") {
  Bench bench;
  bench.engine.execute(test::client_command({}));
  CHECK(bench.engine.housekeeping() == nullptr);
  CHECK_FALSE(bench.engine.may_have_housekeeping());
  Buffer clear = test::kShortCommand;
  clear[8] = 0x01;
  clear[9] = 0x26;
  bench.engine.execute(test::client_command({.bytes = clear}));
  CHECK(bench.engine.may_have_housekeeping());
  const auto execution = bench.engine.housekeeping();
  REQUIRE(execution != nullptr);
  bench.run_to_lists(*execution, execution->start());
  CHECK(bench.told.at(0).same_tpm);
  CHECK(bench.engine.housekeeping() == nullptr);
}

TEST_CASE("a TPM 1.2 lists its indices in one answer", "[exec][ownership]") {
  Bench bench;
  bench.identity.family = Family::Tpm12;
  const auto execution = bench.engine.bring_up();
  execution->start();
  const Step step = execution->on_response(test::kShortCommand);
  CHECK(Bench::sent(step)[13] == tpm12::cap::kNvList);
  const Buffer list = {0, 0xC4, 0, 0, 0, 22,   0, 0,    0, 0,    0,
                       0, 0,    8, 0, 0, 0x11, 0, 0x10, 0, 0xF0, 0};
  CHECK(std::get<Done>(execution->on_response(list)).status == proto::Status::Success);
  CHECK(bench.told.at(0).nv_indices == std::vector<std::uint32_t>{0x1100, 0x1000F000});
  CHECK_FALSE(bench.told.at(0).age);
}
