#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/command/nv_writes.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

const std::vector<std::uint8_t> kGetRandom = tpm::build::get_random(8);

}  // namespace

TEST_CASE("a TPM that is not ready is asked again", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  int left = 6;
  const std::uint32_t warning =
      GENERATE(tpm::rc::kYielded, tpm::rc::kTesting, tpm::rc::kNvRate, tpm::rc::kRetry);
  tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (tpm::command_code_of(command) != tpm::cc::kGetRandom || left-- <= 0) return std::nullopt;
    return tpm::bare_response(warning);
  };
  CHECK(tpm.bench.submit(client->id, kGetRandom).size() == 20);
  CHECK(tpm.bench.paused == std::chrono::milliseconds(1 + 2 + 4 + 8 + 16 + 32));
}

TEST_CASE("a command that the TPM is not ready for ends, and holds nothing", "[rm][later]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto [warning, later] = GENERATE(std::pair(tpm::rc::kRetry, exec::Later::Command),
                                         std::pair(tpm::rc::kTesting, exec::Later::Command),
                                         std::pair(tpm::rc::kYielded, exec::Later::Command),
                                         std::pair(tpm::rc::kNvRate, exec::Later::NvWrites));
  {
    const auto execution = tpm.bench.execute(client->id, kGetRandom);
    REQUIRE(std::holds_alternative<exec::Transmit>(execution->start()));
    const exec::Step step = execution->on_response(tpm::bare_response(warning));
    CHECK(std::get<exec::Done>(step).later == later);
    CHECK(std::get<exec::Done>(step).response == tpm::bare_response(warning));
  }
  // The tables are in no doubt: nothing but the command is sent.
  tpm.bench.sent.clear();
  CHECK(tpm.bench.submit(client->id, kGetRandom).size() == 20);
  CHECK(std::ranges::count(tpm.bench.sent, tpm::cc::kGetRandom) == 1);
}

TEST_CASE("each time that it comes, a command finds what it needs anew", "[rm][later]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);
  std::vector<ESYS_TR> keys;
  for (std::uint8_t i = 0; i < 3; ++i) keys.push_back(other->create_primary(i));
  const std::uint32_t refused = GENERATE(tpm::cc::kSign, tpm::cc::kContextLoad);
  int left = 3;
  bool among_others = false;
  tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (among_others || tpm::command_code_of(command) != refused || left == 0) return std::nullopt;
    --left;
    return tpm::bare_response(tpm::rc::kRetry);
  };
  // Others take all slots meanwhile, and the session goes out and in.
  int times = 0;
  tpm.bench.between = [&] {
    ++times;
    among_others = true;
    for (const ESYS_TR one : keys) CHECK(other->sign(one, other->start_session(TPM2_SE_HMAC)));
    tpm.bench.run_idle();
    among_others = false;
  };
  // Its client checks the HMAC of the response.
  CHECK(client->sign(key, session));
  CHECK(times == 3);
  tpm.intercept = nullptr;
  CHECK(client->sign(key, session));
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a command for which something was repaired waits for the TPM", "[rm][later]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  for (std::uint8_t i = 0; i < 3; ++i) client->create_primary(i);
  const auto execution = tpm.bench.execute(client->id, kGetRandom);
  REQUIRE(std::holds_alternative<exec::Transmit>(execution->start()));
  // The budget for repairs is that of the command: an execution that begins anew has none spent.
  exec::Step step = execution->on_response(tpm::bare_response(tpm::rc::kObjectMemory));
  while (std::get<exec::Transmit>(step).command != kGetRandom) {
    const auto command = std::get<exec::Transmit>(step).command;
    step = execution->on_response(tpm.chip.run(command));
  }
  step = execution->on_response(tpm::bare_response(tpm::rc::kRetry));
  REQUIRE(std::holds_alternative<exec::Pause>(step));
  CHECK(std::get<exec::Transmit>(execution->on_pause_over()).command == kGetRandom);
}

TEST_CASE("what is taken for a write to the flash is one by the TPM's word", "[rm][later]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto response =
      tpm.bench.submit(client->id, tpm::build::get_capability(tpm::cap::kCommands, 0, 254));
  const auto list =
      tpm::parse_words(proto::Bytes(response).subspan(tpm::kHeaderSize), tpm::cap::kCommands);
  REQUIRE(list.has_value());
  int writing = 0;
  for (const std::uint32_t attributes : list->items) {
    if (!writes_nv(attributes & TPMA_CC_COMMANDINDEX_MASK)) continue;
    CAPTURE(attributes);
    CHECK((attributes & TPMA_CC_NV) != 0);
    ++writing;
  }
  CHECK(writing > 15);
}

TEST_CASE("a TPM that is never ready is not asked for ever", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const std::uint32_t warning =
      GENERATE(tpm::rc::kContextGap, tpm::rc::kObjectMemory, tpm::rc::kSessionMemory,
               tpm::rc::kMemory, tpm::rc::kSessionHandles, tpm::rc::kObjectHandles,
               tpm::rc::kYielded, tpm::rc::kTesting, tpm::rc::kReferenceH0, tpm::rc::kReferenceS0,
               tpm::rc::kNvRate, tpm::rc::kRetry, tpm::rc::kInitialize);
  for (std::uint8_t i = 0; i < 5; ++i) client->create_primary(i);
  for (int i = 0; i < 5; ++i) client->start_session(TPM2_SE_HMAC);
  tpm.bench.sent.clear();
  tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (tpm::command_code_of(command) != tpm::cc::kGetRandom) return std::nullopt;
    return tpm::bare_response(warning);
  };
  CHECK(tpm.bench.submit(client->id, kGetRandom) == tpm::bare_response(warning));
  CHECK(tpm.bench.sent.size() < 100);
  tpm.intercept = nullptr;
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 5);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("what a detached command creates is flushed", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::vector<std::uint8_t> last;
  tpm.bench.on_transmit = [&last](exec::Execution&, const exec::Transmit& transmit) {
    if (transmit.client_command) last = transmit.command;
  };
  std::uint32_t first = 0;
  SECTION("an object") {
    client->create_primary(1);
    first = TPM2_TRANSIENT_FIRST;
  }
  SECTION("a session") {
    client->start_session(TPM2_SE_HMAC);
    first = TPM2_LOADED_SESSION_FIRST;
  }
  tpm.bench.on_transmit = nullptr;
  const auto execution = tpm.bench.execute(client->id, last);
  exec::Step step = execution->start();
  REQUIRE(std::get<exec::Transmit>(step).client_command);
  execution->detach();
  step = execution->on_response(tpm.chip.run(last));
  REQUIRE(tpm::command_code_of(std::get<exec::Transmit>(step).command) == tpm::cc::kFlushContext);
  CHECK(client->handles(first).size() == 1);
}

TEST_CASE("a withdrawn command is not sent", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::vector<ESYS_TR> keys;
  for (std::uint8_t i = 0; i < 4; ++i) keys.push_back(client->create_primary(i));
  std::vector<std::uint8_t> last;
  tpm.bench.on_transmit = [&last](exec::Execution&, const exec::Transmit& transmit) {
    if (transmit.client_command) last = transmit.command;
  };
  REQUIRE(client->sign(keys[0]));
  REQUIRE(client->sign(keys[1]));
  REQUIRE(client->sign(keys[2]));
  tpm.bench.on_transmit = nullptr;
  tpm::put_be32(last, tpm::kHeaderSize, client->tpm_handle(keys[3]));

  const auto execution = tpm.bench.execute(client->id, last);
  SECTION("before the start") {
    execution->withdraw();
  }
  exec::Step step = execution->start();
  SECTION("between the steps before it") {
    const auto flush = std::get<exec::Transmit>(step);
    CHECK_FALSE(flush.client_command);
    execution->withdraw();
    step = execution->on_response(tpm.chip.run(flush.command));
  }
  SECTION("when the TPM is not ready for it") {
    execution->withdraw();
    step = execution->on_response(tpm::bare_response(tpm::rc::kRetry));
    REQUIRE(std::holds_alternative<exec::Done>(step));
  }
  if (!std::holds_alternative<exec::Done>(step)) {
    execution->withdraw();
    const auto transmit = std::get<exec::Transmit>(step);
    step = execution->on_response(tpm.chip.run(transmit.command));
  }
  CHECK(std::get<exec::Done>(step).status == proto::Status::CommandCanceled);
  REQUIRE(client->sign(keys[3]));
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a context that closes while its command runs leaves nothing behind", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::vector<std::uint8_t> last;
  tpm.bench.on_transmit = [&last](exec::Execution&, const exec::Transmit& transmit) {
    if (transmit.client_command) last = transmit.command;
  };
  client->create_primary(1);
  tpm.bench.on_transmit = nullptr;
  {
    const auto execution = tpm.bench.execute(client->id, last);
    exec::Step step = execution->start();
    tpm.disconnect(*client);
    step = execution->on_response(tpm.chip.run(last));
    while (auto* const transmit = std::get_if<exec::Transmit>(&step)) {
      const auto command = transmit->command;
      step = execution->on_response(tpm.chip.run(command));
    }
  }
  const auto other = tpm.connect();
  REQUIRE(other->create_primary(2) != ESYS_TR_NONE);
  CHECK(tpm.bench.manager.holdings(client->id).objects == 0);
  CHECK(tpm.bench.notes.differences.empty());
  tpm.bench.run_idle();
  const auto listed =
      tpm.chip.run(tpm::build::get_capability(tpm::cap::kHandles, TPM2_TRANSIENT_FIRST, 10));
  CHECK(listed.size() == 19);
}

TEST_CASE("a device that answers nonsense fails the command and is looked at again",
          "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const std::vector<std::uint8_t> nonsense =
      GENERATE(std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{0x80, 0x01, 0, 0, 0, 12},
               std::vector<std::uint8_t>{0x80, 0x01, 0, 0, 0, 11, 0, 0, 0, 0});
  const auto execution = tpm.bench.execute(client->id, kGetRandom);
  const exec::Step step = execution->start();
  REQUIRE(std::holds_alternative<exec::Transmit>(step));
  const exec::Step end = execution->on_response(nonsense);
  CHECK(std::get<exec::Done>(end).status == proto::Status::IoError);
  CHECK(client->sign(key));
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("malformed commands never reach the TPM", "[rm][execution]") {
  RealTpm tpm{exec::Options{}};
  const auto client = tpm.connect();
  struct Case {
    std::vector<std::uint8_t> command;
    std::uint32_t code;
  };
  const Case bad =
      GENERATE(Case{{0x00, 0xC1, 0, 0, 0, 12, 0, 0, 0x01, 0x7B, 0, 8}, tpm::rc::kBadTag},
               Case{{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0xFF, 0, 8}, tpm::rc::kCommandCode},
               // PolicyNV with two of three handles
               Case{{0x80, 0x01, 0, 0, 0, 18, 0, 0, 0x01, 0x49, 0x40, 0, 0, 1, 0x40, 0, 0, 1},
                    tpm::at_handle(tpm::rc::kInsufficient, 3)},
               // an authorization area that ends too early, none at all, one that is cut off
               Case{{0x80, 0x02, 0, 0, 0, 14, 0, 0, 0x01, 0x7B, 0, 0, 0, 9}, tpm::rc::kAuthSize},
               Case{{0x80, 0x02, 0, 0, 0, 14, 0, 0, 0x01, 0x7B, 0, 0, 0, 0}, tpm::rc::kAuthSize},
               Case{{0x80, 0x02, 0, 0, 0, 18, 0, 0, 0x01, 0x7B, 0, 0, 0, 4, 0x40, 0, 0, 9},
                    tpm::at_session(tpm::rc::kInsufficient, 1)},
               // FlushContext without its handle, and with more than that
               Case{{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x65},
                    tpm::at_parameter(tpm::rc::kInsufficient, 1)},
               Case{{0x80, 0x01, 0, 0, 0, 15, 0, 0, 0x01, 0x65, 0x80, 0, 0, 0, 0}, tpm::rc::kSize});
  CHECK(tpm.bench.submit(client->id, bad.command) == tpm::refusal(bad.code));
  CHECK(tpm.bench.sent.empty());
}

TEST_CASE("fixed capabilities are asked for once", "[rm][execution]") {
  RealTpm tpm{exec::Options{}};
  const auto client = tpm.connect();
  for (const std::uint32_t capability :
       {tpm::cap::kAlgorithms, tpm::cap::kCommands, tpm::cap::kEccCurves, tpm::cap::kProperties}) {
    const std::uint32_t first = capability == tpm::cap::kProperties ? tpm::pt::kFixed : 0;
    const auto query = tpm::build::get_capability(capability, first, 10);
    tpm.bench.sent.clear();
    const auto answer = tpm.bench.submit(client->id, query);
    CHECK(answer.size() > 20);
    CHECK(tpm.bench.submit(client->id, query) == answer);
    CHECK(tpm.bench.sent.size() == 1);
  }
  const auto varying = tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kVariable, 10);
  tpm.bench.sent.clear();
  tpm.bench.submit(client->id, varying);
  tpm.bench.submit(client->id, varying);
  CHECK(tpm.bench.sent.size() == 2);
}

TEST_CASE("capability limits are those of the context", "[rm][execution]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  other->start_session(TPM2_SE_HMAC);
  other->create_primary(1);
  for (std::uint8_t i = 0; i < 4; ++i) client->create_primary(i);
  client->start_session(TPM2_SE_HMAC);
  REQUIRE(client->save(client->start_session(TPM2_SE_HMAC)) != nullptr);
  const auto value = [&](std::uint32_t name) {
    const auto response =
        tpm.bench.submit(client->id, tpm::build::get_capability(tpm::cap::kProperties, name, 1));
    const auto list = tpm::parse_properties(proto::Bytes(response).subspan(10));
    return list->items.at(0).value;
  };
  const exec::Limits limits;
  CHECK(value(tpm::pt::kHrTransientAvail) == limits.objects_per_context - 4);
  CHECK(value(tpm::pt::kHrLoaded) == 1);
  CHECK(value(tpm::pt::kHrActive) == 2);
  CHECK(value(tpm::pt::kHrActiveAvail) == limits.sessions_per_context - 2);
  CHECK(value(tpm::pt::kHrTransientMin) == 3);
}

TEST_CASE("two slots for objects and one for sessions are spared", "[rm][execution]") {
  exec::Options options;
  options.share = exec::Share::Spare;
  RealTpm tpm(options);
  const auto client = tpm.connect();
  std::vector<ESYS_TR> keys;
  std::vector<ESYS_TR> sessions;
  for (std::uint8_t i = 0; i < 3; ++i) {
    keys.push_back(client->create_primary(i));
    sessions.push_back(client->start_session(TPM2_SE_HMAC));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    REQUIRE(client->sign(keys[i], sessions[i]));
    tpm.bench.run_due();
    const rm::Holdings held = tpm.bench.manager.holdings(client->id);
    CHECK(held.loaded_objects == 1);
    CHECK(held.loaded_sessions == 2);
  }
}

TEST_CASE("idle, strict and exclusive sharing of the slots", "[rm][execution]") {
  exec::Options options;
  options.share = GENERATE(exec::Share::Idle, exec::Share::Strict, exec::Share::Exclusive);
  RealTpm tpm(options);
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);
  const auto loaded = [&] {
    const rm::Holdings held = tpm.bench.manager.holdings(client->id);
    return held.loaded_objects + held.loaded_sessions;
  };
  REQUIRE(client->sign(key, session));
  CHECK(loaded() == 2);
  tpm.bench.run_due();
  CHECK(loaded() == (options.share == exec::Share::Strict ? 0 : 2));
  tpm.bench.run_idle();
  CHECK(loaded() == (options.share == exec::Share::Exclusive ? 2 : 0));
  REQUIRE(client->sign(key, session));
  CHECK(tpm.bench.manager.statistics().object_saves ==
        (options.share == exec::Share::Exclusive ? 0 : 1));
}
