// The TPM refuses, waits, is reset, or is used by somebody else past the resource manager.

#include <algorithm>

#include "proto/tpm_header.h"
#include "tests/rm12/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using std::chrono::milliseconds;

namespace {

// Answers the next `times` commands of this ordinal with `code`.
void refuse(RealTpm12& tpm, std::uint32_t ordinal, std::uint32_t code, int times) {
  tpm.intercept =
      [=](std::span<const std::uint8_t> command) mutable -> std::optional<client12::Bytes> {
    if (ordinal_of(command) != ordinal || times-- <= 0) return std::nullopt;
    return proto::tpm_error_response(tpm12::kTagResponse, code);
  };
}

}  // namespace

TEST_CASE("TPM_RETRY and TPM_DOING_SELFTEST are waited for", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  refuse(tpm, ord::kGetRandom, GENERATE(rc::kRetry, rc::kDoingSelfTest), 3);
  CHECK(client->run(random(8)).code == 0);
  CHECK(tpm.bench.paused == milliseconds(1 + 2 + 4));
}

TEST_CASE("a TPM that is never ready is given up within the deadline", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  const auto client = tpm.connect();
  refuse(tpm, ord::kGetRandom, rc::kRetry, 1'000'000);
  CHECK(client->run(random(8)).code == rc::kRetry);
  CHECK(tpm.bench.paused == std::chrono::seconds(20));
}

TEST_CASE("a TPM that wants its self-test gets it", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  refuse(tpm, ord::kGetRandom, rc::kNeedsSelfTest, 1);
  CHECK(client->run(random(8)).code == 0);
  CHECK(std::ranges::count(tpm.bench.sent, ord::kContinueSelfTest) == 1);
}

TEST_CASE("without a session, a TPM without room gets some and the command again", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  for (int i = 0; i < 3; ++i) client->oiap(secret_of(1));
  refuse(tpm, ord::kOiap, rc::kResources, 1);
  CHECK(client->run({.ordinal = ord::kOiap, .returns_handle = true}).code == 0);
  CHECK(tpm.bench.manager.state().facts.auths.known == 3);
  CHECK(client->handles(kAuth).size() == 4);
  CHECK(tpm.direct().handles(kAuth).size() == 3);
  // What was learnt is forgotten when the TPM has been empty.
  tpm.bench.run_idle();
  CHECK(tpm.bench.manager.state().facts.auths.known == 16);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("with a session, the next command finds the room", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  for (std::uint8_t i = 0; i < 3; ++i) client->load_key(signing_key(i));
  auto session = client->oiap(secret_of(2));
  const client12::Client::Command load{.ordinal = ord::kLoadKey2,
                                       .handles = {client12::kSrk},
                                       .parameters = signing_key(4),
                                       .sessions = {&session},
                                       .returns_handle = true};
  SECTION("because the TPM has ended the session") {
    tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<client12::Bytes> {
      if (ordinal_of(command) != ord::kLoadKey2) return std::nullopt;
      tpm.intercept = nullptr;
      const auto sessions = tpm.direct().handles(kAuth);
      tpm.direct().flush(sessions.front(), kAuth);
      return proto::tpm_error_response(tpm12::kTagResponse, rc::kNoSpace);
    };
    CHECK(client->run(load).code == rc::kNoSpace);
    CHECK(client->handles(kAuth).empty());
    CHECK(client->load_key(signing_key(4)) == kFirstKey + 3);
    CHECK(tpm.direct().handles(kKey).size() <= 3);
  }
  SECTION("or the same one, because it has not") {
    refuse(tpm, ord::kLoadKey2, rc::kNoSpace, 1);
    CHECK(client->run(load).code == 0);
  }
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("keys that somebody else has flushed are loaded again", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t saved = client->load_key(open_key());
  tpm.bench.run_idle();
  REQUIRE(sign_openly(*client, saved).code == 0);
  auto chip = tpm.direct();
  for (const std::uint32_t handle : chip.handles(kKey)) chip.flush(handle, kKey);
  CHECK(sign_openly(*client, saved).code == 0);

  const std::uint32_t fresh = client->load_key(open_key());
  for (const std::uint32_t handle : chip.handles(kKey)) chip.flush(handle, kKey);
  CHECK(sign_openly(*client, fresh).code == rc::kInvalidKeyHandle);
  CHECK(client->handles(kKey) == std::vector<std::uint32_t>{saved});
  CHECK(sign_openly(*client, saved).code == 0);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a reset TPM is started, and keys come back", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(open_key());
  auto session = client->oiap(secret_of(2));
  client->oiap(secret_of(2));
  tpm.bench.run_idle();
  SECTION("by the daemon") {
    tpm.chip.power_cycle();
  }
  SECTION("by somebody else") {
    tpm.chip.power_cycle();
    tpm.start();
  }
  SECTION("after a failure of the device") {
    tpm.bench.manager.device_lost();
    tpm.chip.power_cycle();
    tpm.start();
    tpm.bench.bring_up();
  }
  CHECK(sign_openly(*client, key).code == 0);
  CHECK(client
            ->run({.ordinal = ord::kLoadKey2,
                   .handles = {client12::kSrk},
                   .parameters = open_key(),
                   .sessions = {&session},
                   .returns_handle = true})
            .code == rc::kInvalidAuthHandle);
  // Until a session is missed nobody can know.
  tpm.bench.notes.differences.clear();
  CHECK(client->load_key(open_key()) == key + 1);
  tpm.bench.run_idle();
  CHECK(sign_openly(*client, key).code == 0);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("malformed commands do not reach the TPM", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  const auto client = tpm.connect();
  const auto code_of = [&](client12::Bytes command) {
    const auto response = client->exchange(std::move(command));
    const auto header = proto::read_tpm_header(response);
    REQUIRE(header);
    REQUIRE(header->size == tpm12::kHeaderSize);
    REQUIRE(header->tag == tpm12::kTagResponse);
    return header->code;
  };
  tpm.bench.sent.clear();
  CHECK(code_of({0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0x46}) == rc::kBadTag);
  CHECK(code_of({0x00, 0xC1, 0, 0, 0, 10, 0, 0, 1, 0x7B}) == rc::kBadOrdinal);
  CHECK(code_of({0x00, 0xC2, 0, 0, 0, 10, 0, 0, 0, 0x46}) == rc::kBadTag);  // takes no session
  CHECK(code_of({0x00, 0xC2, 0, 0, 0, 14, 0, 0, 0, 0x3C, 0x40, 0, 0, 0}) == rc::kBadParamSize);
  CHECK(code_of({0x00, 0xC1, 0, 0, 0, 10, 0, 0, 0, 0x3C}) == rc::kBadParamSize);
  CHECK(code_of(client12::frame(ord::kFlushSpecific, 0, {client12::words({1})})) ==
        rc::kBadParamSize);
  CHECK(code_of(client12::frame(ord::kSaveContext, 0, {client12::words({1, 1})})) ==
        rc::kBadParamSize);
  CHECK(code_of(client12::frame(ord::kLoadContext, 0, {client12::words({1, 1})})) ==
        rc::kBadParamSize);
  CHECK(code_of(client12::frame(ord::kFlushSpecific, 0, {client12::words({1, 7})})) ==
        rc::kInvalidResource);
  CHECK(code_of(client12::frame(ord::kOsap, 0, {client12::words({1})})) == rc::kBadParamSize);
  CHECK(tpm.bench.sent.empty());
}

TEST_CASE("a busy TPM can be cancelled before the client's command is sent", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(open_key());
  tpm.bench.run_idle();
  tpm.bench.sent.clear();
  tpm.bench.on_transmit = [](exec::Execution& execution, const exec::Transmit&) {
    execution.withdraw();
  };
  CHECK_THROWS(sign_openly(*client, key));
  CHECK(tpm.bench.sent == std::vector<std::uint32_t>{ord::kLoadContext});
  tpm.bench.on_transmit = nullptr;
  CHECK(sign_openly(*client, key).code == 0);
}

TEST_CASE("a TPM without an owner lets nothing be moved out, and nothing is lost", "[rm12]") {
  RealTpm12 tpm(verified(), {});
  const auto client = tpm.connect();
  const auto session = client->oiap(secret_of(1));
  tpm.bench.run_idle();
  CHECK(client->handles(kAuth) == std::vector<std::uint32_t>{session.handle});
  for (int i = 0; i < 15; ++i) client->oiap(secret_of(1));
  // The seventeenth does not fit.
  CHECK(client->run({.ordinal = ord::kOiap, .returns_handle = true}).code == rc::kResources);
  CHECK(client->handles(kAuth).size() == 16);
  for (const std::uint32_t handle : client->handles(kAuth)) client->flush(handle, kAuth);
  client->take_ownership();
  tpm.bench.run_idle();
  CHECK(client->owned());
  CHECK(tpm.bench.notes.differences.empty());
}
