// What recording costs, by hand: `restart_tests '[cost]'`. Processor time of the engines alone;
// what the TPM answers is known before.

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "tests/restart/engine_life.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/client_commands.h"
#include "tests/support/software_tpm.h"

using namespace tbs;
using namespace tbs::test;
using proto::Buffer;

namespace {

constexpr ContextId kContext{1};

// As the journal does: a header and the bytes, into memory that is there.
struct Memory final : restart::InputLog {
  void append(const restart::Input& input) override {
    if (used + input.bytes.size() + 8 > bytes.size()) used = 0;
    std::copy(input.bytes.begin(), input.bytes.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(used + 8));
    used += input.bytes.size() + 8;
    total += input.bytes.size() + 8;
  }

  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(256 * 1024);
  std::size_t used = 0;
  std::uint64_t total = 0;
};

double nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// One command, with the housekeeping that the dispatcher asks for before it. Returns the client's
// response.
template <typename Tpm>
Buffer run(exec::Engine& engine, const SharedCommand& command, const Tpm& tpm) {
  while (const auto work = engine.housekeeping()) {
    exec::Step step = work->start();
    while (const auto* const sent = std::get_if<exec::Transmit>(&step)) {
      const Buffer bytes = sent->command;
      step = work->on_response(tpm(bytes));
    }
  }
  const auto execution = engine.execute(command);
  exec::Step step = execution->start();
  while (const auto* const sent = std::get_if<exec::Transmit>(&step)) {
    const Buffer bytes = sent->command;
    step = execution->on_response(tpm(bytes));
  }
  return std::get<exec::Done>(std::move(step)).response;
}

double fastest(exec::Engine& engine, const SharedCommand& command, const Buffer& response) {
  constexpr int kRounds = 60;
  constexpr int kCommands = 500;
  double best = 1e12;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = nanoseconds();
    for (int i = 0; i < kCommands; ++i) {
      run(engine, command, [&](const Buffer&) -> const Buffer& { return response; });
    }
    best = std::min(best, (nanoseconds() - begin) / kCommands);
  }
  return best;
}

}  // namespace

TEST_CASE("what recording costs", "[.][cost]") {
  World world;
  EngineLife life(world);
  Memory memory;
  restart::RecordedEngine recorded(life.engine(), life.state(), life.outside());
  SoftwareTpm tpm;
  const auto real = [&](const Buffer& command) { return tpm.run(command); };
  {
    const auto execution = life.engine().bring_up();
    exec::Step step = execution->start();
    while (const auto* const sent = std::get_if<exec::Transmit>(&step)) {
      const Buffer command = sent->command;
      step = execution->on_response(tpm.run(command));
    }
  }
  life.engine().open_context(kContext, principal_of(UserId{1000}));
  const auto command = [](Buffer bytes) {
    return client_command({.context = kContext, .bytes = std::move(bytes)});
  };
  run(life.engine(), command(command::create_primary(TPM2_RH_OWNER, 1)), real);
  const auto random = command(tpm::CommandBuilder(TPM2_CC_GetRandom).u16(32).finish());
  const auto sign = command(command::sign(tpm::kTransientFirst));
  for (const auto& [name, which] : {std::pair{"GetRandom", random}, std::pair{"Sign", sign}}) {
    const Buffer response = run(life.engine(), which, real);
    const double bare = fastest(life.engine(), which, response);
    const double idle = fastest(recorded, which, response);
    recorded.record_to(&memory);
    const double recording = fastest(recorded, which, response);
    memory.total = 0;
    run(recorded, which, [&](const Buffer&) -> const Buffer& { return response; });
    recorded.record_to(nullptr);
    std::printf("%s: engines alone %.0f ns, not recorded %.0f ns, recorded %.0f ns, %llu bytes\n",
                name, bare, idle, recording, static_cast<unsigned long long>(memory.total));
  }
}
