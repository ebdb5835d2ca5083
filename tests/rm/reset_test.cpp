#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

TEST_CASE("a reset is noticed, and what it destroyed is refused", "[rm][reset][power]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const ESYS_TR session = client->start_session(TPM2_SE_HMAC);

  SECTION("before anybody started the TPM again") {
    tpm.chip.power_cycle();
  }
  SECTION("after the firmware started it again") {
    tpm.chip.power_cycle();
    tpm.chip.run(tpm::build::startup(tpm::kStartupClear));
  }
  SECTION("with everything evicted") {
    tpm.bench.run_idle();
    tpm.chip.power_cycle();
  }
  SECTION("while the device was away") {
    tpm.bench.manager.device_lost();
    tpm.chip.power_cycle();
    tpm.bench.bring_up();
  }

  CHECK_FALSE(client->sign(key));
  CHECK(client->fault() == tpm::by_resource_manager(tpm::at_handle(tpm::rc::kHandle, 1)));
  CHECK(tpm.bench.notes.resets == 1);
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).empty());
  const ESYS_TR again = client->create_primary(1);
  CHECK_FALSE(client->sign(again, session));
  CHECK(client->fault() == tpm::by_resource_manager(tpm::rc::kReferenceS0));
  CHECK(client->sign(again));
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("commands without handles survive a reset", "[rm][reset][power]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  client->create_primary(1);
  tpm.chip.power_cycle();
  REQUIRE(client->create_primary(2) != ESYS_TR_NONE);
  CHECK(tpm.bench.notes.resets == 1);
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 1);
}

TEST_CASE("what was saved survives a restart without reset", "[rm][reset][power]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR saved = client->create_primary(1);
  const ESYS_TR evicted_session = client->start_session(TPM2_SE_HMAC);
  tpm.bench.run_idle();
  const ESYS_TR unsaved = client->create_primary(2);
  const ESYS_TR loaded_session = client->start_session(TPM2_SE_HMAC);
  tpm.chip.run(tpm::build::shutdown(tpm::kStartupState));
  tpm.chip.power_cycle();

  SECTION("when the TPM says so") {}
  SECTION("when the device was away") {
    tpm.bench.manager.device_lost();
    tpm.bench.bring_up();
  }

  CHECK(client->sign(saved));
  CHECK(client->sign(saved, evicted_session));
  CHECK_FALSE(client->sign(unsaved));
  CHECK_FALSE(client->sign(saved, loaded_session));
  CHECK(tpm.bench.notes.resets == 0);
  CHECK(tpm.bench.notes.restarts >= 1);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a device that was away only for a moment loses what was not saved", "[rm][reset]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR saved = client->create_primary(1);
  tpm.bench.run_idle();
  const ESYS_TR unsaved = client->create_primary(2);
  REQUIRE(client->sign(saved));
  tpm.bench.manager.device_lost();
  tpm.bench.bring_up();
  CHECK(client->sign(saved));
  CHECK_FALSE(client->sign(unsaved));
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("leftovers of an earlier run are removed when the TPM is brought up", "[rm][reset]") {
  TestChip chip;
  std::unique_ptr<TPMS_CONTEXT> blob;
  {
    RmBench bench({}, [&chip](auto command) { return chip.run(command); });
    bench.bring_up();
    bench.manager.open_context(ContextId{1}, kAlice);
    EsysClient client(
        [&bench](auto command) { return bench.submit(ContextId{1}, std::move(command)); });
    for (std::uint8_t i = 0; i < 3; ++i) client.create_primary(i);
    blob = client.save(client.start_session(TPM2_SE_HMAC));
    for (int i = 0; i < 5; ++i) client.start_session(TPM2_SE_HMAC);
  }
  exec::Options options = verified();
  SECTION("saved sessions too") {}
  SECTION("saved sessions not, when told so") {
    options.remove_saved_sessions = false;
  }
  const bool kept = !options.remove_saved_sessions;
  RmBench bench(options, [&chip](auto command) { return chip.run(command); });
  bench.bring_up();
  bench.manager.open_context(ContextId{1}, kAlice);
  EsysClient client(
      [&bench](auto command) { return bench.submit(ContextId{1}, std::move(command)); });
  CHECK((client.load(*blob) != ESYS_TR_NONE) == kept);
  CHECK(client.create_primary(1) != ESYS_TR_NONE);
  if (!kept) CHECK(bench.notes.differences.empty());
}

TEST_CASE("a shutdown leaves nothing in the TPM", "[rm][reset]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  for (std::uint8_t i = 0; i < 4; ++i) client->create_primary(i);
  for (int i = 0; i < 5; ++i) client->start_session(TPM2_SE_HMAC);
  REQUIRE(client->save(client->start_session(TPM2_SE_HMAC)) != nullptr);
  const auto execution = tpm.bench.manager.shutdown(true);
  REQUIRE(tpm.bench.run(*execution).status == proto::Status::Success);
  CHECK(tpm.bench.sent.back() == TPM2_CC_Shutdown);
  for (const TPM2_HANDLE first :
       {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST, TPM2_ACTIVE_SESSION_FIRST}) {
    const auto listed = tpm.chip.run(tpm::build::get_capability(tpm::cap::kHandles, first, 10));
    CHECK(listed == tpm::handles_response({}, false));
  }
}
