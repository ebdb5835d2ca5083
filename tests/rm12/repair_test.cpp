// The TPM refuses, waits, is reset, or is used by somebody else past the resource manager.

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/rm12/fixture.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using std::chrono::milliseconds;

namespace {

constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kAuth = 2;

std::uint32_t ordinal_of(std::span<const std::uint8_t> command) {
  proto::ByteReader reader(command);
  reader.skip(6);
  return reader.be32();
}

// Answers the next `times` commands of this ordinal with `code`.
void refuse(RealTpm12& tpm, std::uint32_t ordinal, std::uint16_t code, int times) {
  tpm.intercept =
      [=](std::span<const std::uint8_t> command) mutable -> std::optional<client12::Bytes> {
    if (ordinal_of(command) != ordinal || times-- <= 0) return std::nullopt;
    return client12::Bytes{0,
                           0xC4,
                           0,
                           0,
                           0,
                           10,
                           0,
                           0,
                           static_cast<std::uint8_t>(code >> 8),
                           static_cast<std::uint8_t>(code)};
  };
}

client12::Reply sign_openly(client12::Client& client, std::uint32_t handle) {
  return client.run({.ordinal = 0x3C,
                     .handles = {handle},
                     .parameters = client12::sized_bytes(client12::Bytes(20, 3))});
}

client12::Reply random(client12::Client& client) {
  return client.run({.ordinal = 0x46, .parameters = client12::words({8})});
}

}  // namespace

TEST_CASE("TPM_RETRY and TPM_DOING_SELFTEST are waited for", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  refuse(tpm, 0x46, GENERATE(std::uint16_t{0x800}, std::uint16_t{0x802}), 3);
  CHECK(random(*client).code == 0);
  CHECK(tpm.bench.paused == milliseconds(1 + 2 + 4));
}

TEST_CASE("a TPM that is never ready is given up within the deadline", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  const auto client = tpm.connect();
  refuse(tpm, 0x46, 0x800, 1'000'000);
  CHECK(random(*client).code == 0x800);
  CHECK(tpm.bench.paused == std::chrono::seconds(20));
}

TEST_CASE("a TPM that wants its self-test gets it", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  refuse(tpm, 0x46, 0x801, 1);
  CHECK(random(*client).code == 0);
  CHECK(std::ranges::count(tpm.bench.sent, 0x53u) == 1);
}

TEST_CASE("without a session, a TPM without room gets some and the command again", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  for (int i = 0; i < 3; ++i) client->oiap(secret_of(1));
  refuse(tpm, 0x0A, 0x15, 1);
  CHECK(client->run({.ordinal = 0x0A, .returns_handle = true}).code == 0);
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
  const client12::Client::Command load{.ordinal = 0x41,
                                       .handles = {client12::kSrk},
                                       .parameters = signing_key(4),
                                       .sessions = {&session},
                                       .returns_handle = true};
  SECTION("because the TPM has ended the session") {
    tpm.intercept = [&](std::span<const std::uint8_t> command) -> std::optional<client12::Bytes> {
      if (ordinal_of(command) != 0x41) return std::nullopt;
      tpm.intercept = nullptr;
      const auto sessions = tpm.direct().handles(kAuth);
      tpm.direct().flush(sessions.front(), kAuth);
      return client12::Bytes{0, 0xC4, 0, 0, 0, 10, 0, 0, 0, 0x11};
    };
    CHECK(client->run(load).code == 0x11);
    CHECK(client->handles(kAuth).empty());
    CHECK(client->load_key(signing_key(4)) == 0x01000003);
    CHECK(tpm.direct().handles(kKey).size() <= 3);
  }
  SECTION("or the same one, because it has not") {
    refuse(tpm, 0x41, 0x11, 1);
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
  CHECK(sign_openly(*client, fresh).code == 0x0C);
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
            ->run({.ordinal = 0x41,
                   .handles = {client12::kSrk},
                   .parameters = open_key(),
                   .sessions = {&session},
                   .returns_handle = true})
            .code == 0x22);
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
    REQUIRE(response.size() == 10);
    REQUIRE(response[1] == 0xC4);
    return ordinal_of(response);
  };
  tpm.bench.sent.clear();
  CHECK(code_of({0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0x46}) == 0x1E);  // BADTAG
  CHECK(code_of({0x00, 0xC1, 0, 0, 0, 10, 0, 0, 1, 0x7B}) == 0x0A);  // BAD_ORDINAL
  CHECK(code_of({0x00, 0xC2, 0, 0, 0, 10, 0, 0, 0, 0x46}) == 0x1E);  // takes no session
  CHECK(code_of({0x00, 0xC2, 0, 0, 0, 14, 0, 0, 0, 0x3C, 0x40, 0, 0, 0}) == 0x19);
  CHECK(code_of({0x00, 0xC1, 0, 0, 0, 10, 0, 0, 0, 0x3C}) == 0x19);  // BAD_PARAM_SIZE
  CHECK(code_of(client12::frame(0xBA, 0, {client12::words({1})})) == 0x19);
  CHECK(code_of(client12::frame(0xB8, 0, {client12::words({1, 1})})) == 0x19);
  CHECK(code_of(client12::frame(0xB9, 0, {client12::words({1, 1})})) == 0x19);
  CHECK(code_of(client12::frame(0xBA, 0, {client12::words({1, 7})})) == 0x35);
  CHECK(code_of(client12::frame(0x0B, 0, {client12::words({1})})) == 0x19);
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
  CHECK(tpm.bench.sent == std::vector<std::uint32_t>{0xB9});
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
  CHECK(client->run({.ordinal = 0x0A, .returns_handle = true}).code == 0x15);
  CHECK(client->handles(kAuth).size() == 16);
  for (const std::uint32_t handle : client->handles(kAuth)) client->flush(handle, kAuth);
  client->take_ownership();
  tpm.bench.run_idle();
  CHECK(client->owned());
  CHECK(tpm.bench.notes.differences.empty());
}
