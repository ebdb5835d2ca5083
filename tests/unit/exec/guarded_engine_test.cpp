#include "daemon/exec/guarded_engine.h"

#include <catch2/catch.hpp>

#include "daemon/exec/pass_through.h"

using namespace tbs;
using exec::GuardedEngine;

namespace {

constexpr ContextId kContext{1};
using Bytes = std::vector<std::uint8_t>;

const Bytes kCommand = {0x80, 0x02, 0, 0, 0, 10, 0, 0, 1, 0x7B};
const Bytes kFailure = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x09, 0x8E};

struct Bench {
  exec::TpmIdentity identity{.version = 2};
  exec::PassThrough behind{identity};
  GuardedEngine engine{behind};
};

}  // namespace

TEST_CASE("without a word of the judge commands go through", "[exec][lockout]") {
  Bench bench;
  bench.engine.set_judge(
      [](ContextId, std::span<const std::uint8_t>) { return GuardedEngine::Verdict{}; });
  const auto execution = bench.engine.execute(kContext, 0, kCommand);
  REQUIRE(std::get<exec::Transmit>(execution->start()).command == kCommand);
  REQUIRE(std::get<exec::Done>(execution->on_response(kFailure)).response == kFailure);
}

TEST_CASE("the judge may answer a command, which then never reaches the TPM", "[exec][lockout]") {
  Bench bench;
  bench.engine.set_judge([](ContextId context, std::span<const std::uint8_t> command) {
    CHECK(context == kContext);
    CHECK(std::ranges::equal(command, kCommand));
    return GuardedEngine::Verdict{.answer = kFailure, .watcher = nullptr};
  });
  const auto execution = bench.engine.execute(kContext, 0, kCommand);
  REQUIRE(std::get<exec::Done>(execution->start()).response == kFailure);
}

TEST_CASE("the watcher is told what nobody waits for any more", "[exec][lockout]") {
  Bench bench;
  std::vector<Bytes> seen;
  bench.engine.set_judge([&](ContextId, std::span<const std::uint8_t>) {
    return GuardedEngine::Verdict{.answer = std::nullopt,
                                  .watcher = [&](std::span<const std::uint8_t> response) {
                                    seen.emplace_back(response.begin(), response.end());
                                  }};
  });
  const auto execution = bench.engine.execute(kContext, 0, kCommand);
  REQUIRE(std::holds_alternative<exec::Transmit>(execution->start()));
  execution->detach();
  execution->on_response(kFailure);
  REQUIRE(seen == std::vector<Bytes>{kFailure});
}
