// A driver that gives up a command, whichever it is of those that a client's command takes: the TPM
// has carried it out, but nobody hears of it. Then the TPM is looked at, and nobody has lost
// anything but what only that answer had.

#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

// Runs the command, and gives it up after the TPM has carried out this many steps. The code of the
// last one; 0 when it has fewer.
std::uint32_t give_up(RealTpm& tpm, ContextId context, const RmBench::Bytes& command, int steps) {
  std::uint32_t code = 0;
  {
    const auto execution = tpm.bench.execute(context, command);
    exec::Step step = execution->start();
    for (int i = 0; i < steps; ++i) {
      const auto* const transmit = std::get_if<exec::Transmit>(&step);
      if (transmit == nullptr) return 0;
      const RmBench::Bytes sent = transmit->command;
      code = proto::read_tpm_header(sent)->code;
      const RmBench::Bytes response = tpm.chip.run(sent);
      if (i + 1 < steps) step = execution->on_response(response);
    }
  }
  tpm.bench.bring_up();
  return code;
}

// The first byte of the SHA-256 digest of "x", and of "y".
constexpr int kHashOfX = 0x2d;
constexpr int kHashOfY = 0xa1;

RmBench::Bytes policy_digest(std::uint32_t session) {
  return tpm::CommandBuilder(TPM2_CC_PolicyGetDigest).u32(session).finish();
}

}  // namespace

TEST_CASE("a step that was given up takes nothing from anybody", "[rm][given-up]") {
  const int steps = GENERATE(1, 2, 3, 4, 5, 6);
  const bool evicted = GENERATE(false, true);
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR sequence = client->start_hash();
  REQUIRE(client->update(sequence, 'x'));
  const auto other = tpm.connect();
  const ESYS_TR other_key = other->create_primary(2);
  const ESYS_TR other_sequence = other->start_hash();
  REQUIRE(other->update(other_sequence, 'y'));
  if (evicted) tpm.bench.run_idle();

  const ESYS_TR moved = GENERATE(false, true) ? key : sequence;
  give_up(tpm, client->id, tpm::build::context_save(client->tpm_handle(moved)), steps);
  CHECK(client->sign(key));
  CHECK(client->complete(sequence) == kHashOfX);
  CHECK(other->sign(other_key));
  CHECK(other->complete(other_sequence) == kHashOfY);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a session that was being loaded is there afterwards", "[rm][given-up]") {
  const int steps = GENERATE(1, 2, 3, 4, 5, 6);
  const bool evicted = GENERATE(false, true);
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR first = client->start_session(TPM2_SE_POLICY);
  std::vector<ESYS_TR> others;
  for (int i = 0; i < 4; ++i) others.push_back(client->start_session(TPM2_SE_POLICY));
  if (evicted) tpm.bench.run_idle();

  const std::uint32_t code =
      give_up(tpm, client->id, policy_digest(client->tpm_handle(first)), steps);
  // What the TPM has put into an answer that nobody got is gone.
  const std::size_t lost = code == tpm::cc::kContextSave ? 1U : 0U;
  std::size_t there = 0;
  others.push_back(first);
  for (const ESYS_TR session : others) {
    const auto answer = tpm.bench.submit(client->id, policy_digest(client->tpm_handle(session)));
    there += proto::read_tpm_header(answer)->code == tpm::rc::kSuccess ? 1U : 0U;
  }
  CHECK(there == others.size() - lost);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("what a command made that was given up is removed", "[rm][given-up]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const RmBench::Bytes start =
      tpm::CommandBuilder(tpm::cc::kHashSequenceStart).u16(0).u16(TPM2_ALG_SHA256).finish();
  REQUIRE(give_up(tpm, client->id, start, 1) == tpm::cc::kHashSequenceStart);
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).empty());
  const auto listed =
      tpm.chip.run(tpm::build::get_capability(tpm::cap::kHandles, TPM2_TRANSIENT_FIRST, 10));
  CHECK(listed.size() == 19);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a step that was given up is looked into without a word from outside", "[rm][given-up]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const RmBench::Bytes start =
      tpm::CommandBuilder(tpm::cc::kHashSequenceStart).u16(0).u16(TPM2_ALG_SHA256).finish();
  {
    const auto execution = tpm.bench.execute(client->id, start);
    tpm.chip.run(std::get<exec::Transmit>(execution->start()).command);
  }
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).empty());
  CHECK(tpm.bench.notes.differences.empty());
}
