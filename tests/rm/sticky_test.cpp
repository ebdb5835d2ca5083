#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

exec::Options sharing(exec::Share share) {
  exec::Options options;
  options.share = share;
  return options;
}

Status make_sticky(RealTpm& tpm, RealTpm::Client& client, ESYS_TR object, bool sticky = true) {
  return tpm.bench.manager.make_sticky(client.id, client.tpm_handle(object), sticky);
}

// Others use more keys and sessions in turn than the TPM has room for.
void crowd(RealTpm& tpm) {
  const auto other = tpm.connect(kBob);
  std::vector<ESYS_TR> keys;
  std::vector<ESYS_TR> sessions;
  for (std::uint8_t i = 0; i < 5; ++i) keys.push_back(other->create_primary(i));
  for (int i = 0; i < 5; ++i) sessions.push_back(other->start_session(TPM2_SE_HMAC));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < keys.size(); ++i) REQUIRE(other->sign(keys[i], sessions[i]));
  }
  tpm.disconnect(*other);
  tpm.bench.run_due();
}

// What it costs to sign, in commands to the TPM.
std::size_t cost(RealTpm& tpm, RealTpm::Client& client, ESYS_TR key, ESYS_TR session) {
  tpm.bench.sent.clear();
  REQUIRE(client.sign(key, session));
  return tpm.bench.sent.size();
}

}  // namespace

TEST_CASE("a sticky key and session stay while others work", "[rm][sticky]") {
  RealTpm tpm(sharing(exec::Share::Idle));
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);
  crowd(tpm);
  CHECK(cost(tpm, *client, key, session) > 1);
  REQUIRE(make_sticky(tpm, *client, key) == Status::Success);
  REQUIRE(make_sticky(tpm, *client, session) == Status::Success);
  crowd(tpm);
  CHECK(cost(tpm, *client, key, session) == 1);
  REQUIRE(make_sticky(tpm, *client, key, false) == Status::Success);
  crowd(tpm);
  CHECK(cost(tpm, *client, key, session) > 1);
}

TEST_CASE("a command that needs every slot runs, and the mark stays", "[rm][sticky]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  REQUIRE(make_sticky(tpm, *client, key) == Status::Success);
  // The TPM wants all its slots for one command.
  const auto other = tpm.connect(kBob);
  const ESYS_TR parent = other->create_primary(2);
  int left = 2;
  tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<RmBench::Bytes> {
    if (tpm::command_code_of(command) != tpm::cc::kCreatePrimary || left-- <= 0) {
      return std::nullopt;
    }
    return tpm::bare_response(tpm::rc::kObjectMemory);
  };
  const ESYS_TR third = other->create_primary(3);
  CHECK(other->fault() == 0);
  CHECK(tpm.bench.manager.holdings(client->id).loaded_objects == 0);
  REQUIRE(other->sign(parent));
  REQUIRE(other->sign(third));
  REQUIRE(client->sign(key));
  CHECK(make_sticky(tpm, *other, parent) == Status::TooManyResources);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("the kernel's users get all slots, sticky or not", "[rm][sticky]") {
  const exec::Share share = GENERATE(exec::Share::Idle, exec::Share::Strict);
  RealTpm tpm(sharing(share));
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);
  REQUIRE(make_sticky(tpm, *client, key) == Status::Success);
  REQUIRE(make_sticky(tpm, *client, session) == Status::Success);
  tpm.bench.run_idle();
  CHECK(tpm.bench.manager.holdings(client->id).loaded_objects == 0);
  CHECK(tpm.bench.manager.holdings(client->id).loaded_sessions == 0);
  REQUIRE(client->sign(key, session));
}

TEST_CASE("the mark goes with what it is on", "[rm][sticky]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  const ESYS_TR wanted = other->create_primary(9);
  const ESYS_TR session = other->start_session(TPM2_SE_HMAC);
  SECTION("flushed") {
    const ESYS_TR key = client->create_primary(1);
    REQUIRE(make_sticky(tpm, *client, key) == Status::Success);
    CHECK(make_sticky(tpm, *other, wanted) == Status::TooManyResources);
    REQUIRE(client->flush(key));
    CHECK(make_sticky(tpm, *other, wanted) == Status::Success);
  }
  SECTION("closed with its context") {
    REQUIRE(make_sticky(tpm, *client, client->create_primary(1)) == Status::Success);
    REQUIRE(make_sticky(tpm, *client, client->start_session(TPM2_SE_HMAC)) == Status::Success);
    CHECK(make_sticky(tpm, *other, wanted) == Status::TooManyResources);
    CHECK(make_sticky(tpm, *other, session) == Status::TooManyResources);
    tpm.disconnect(*client);
    CHECK(make_sticky(tpm, *other, wanted) == Status::Success);
    CHECK(make_sticky(tpm, *other, session) == Status::Success);
  }
  SECTION("a session that is saved") {
    const ESYS_TR mine = client->start_session(TPM2_SE_POLICY);
    REQUIRE(make_sticky(tpm, *client, mine) == Status::Success);
    const TPM2_HANDLE handle = client->tpm_handle(mine);
    REQUIRE(client->save(mine));
    CHECK(tpm.bench.manager.make_sticky(client->id, handle, true) == Status::BadParameter);
    CHECK(make_sticky(tpm, *other, session) == Status::Success);
  }
  SECTION("a sequence that is complete") {
    const ESYS_TR sequence = client->start_hash();
    REQUIRE(make_sticky(tpm, *client, sequence) == Status::Success);
    REQUIRE(client->complete(sequence) >= 0);
    CHECK(make_sticky(tpm, *other, wanted) == Status::Success);
  }
}
