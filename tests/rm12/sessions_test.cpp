// Authorization sessions: more of them than the TPM has room for, bound to keys that come and go,
// ended by commands, by failures and by their clients.

#include <algorithm>

#include "daemon/tpm12/capability.h"
#include "proto/tpm12/commands.h"
#include "tests/rm12/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using client12::Session;
using client12::sha1;

namespace {

// Signs with a key whose session is kept.
std::uint32_t sign(client12::Client& client, std::uint32_t key, Session& session) {
  return client.run(test::sign(key, session)).code;
}

client12::Bytes save(client12::Client& client, const Session& session) {
  const auto reply = client.save_context(session.handle, kAuth);
  REQUIRE(reply.code == 0);
  return client12::sized(reply.parameters);
}

// Where the blob stands in the TPM's list of saved sessions.
std::uint32_t count_of(const client12::Bytes& blob) {
  proto::ByteReader reader(blob);
  reader.skip(2 + 4 + 4 + 16);
  return reader.be32();
}

}  // namespace

TEST_CASE("forty sessions at once, each used in turn", "[rm12]") {
  exec::Options options = verified();
  options.limits.sessions_per_context = 40;
  RealTpm12 tpm(options);
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  std::vector<Session> sessions;
  for (std::uint32_t i = 0; i < 40; ++i) {
    sessions.push_back(client->oiap(secret_of(1)));
    REQUIRE(sessions.back().handle == kFirstAuth + i);
  }
  for (int round = 0; round < 2; ++round) {
    for (Session& session : sessions) REQUIRE(sign(*client, key, session) == 0);
  }
  CHECK(client->handles(kAuth).size() == 40);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("sessions bound to keys follow them in and out of the TPM", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  std::vector<std::pair<std::uint32_t, Session>> pairs;
  for (int i = 0; i < 26; ++i) {
    const auto number = static_cast<std::uint8_t>(i % 8);
    const std::uint32_t key = client->load_key(signing_key(number));
    pairs.emplace_back(key, client->osap(kKeyHandle, key, secret_of(number)));
  }
  for (int round = 0; round < 2; ++round) {
    for (auto& [key, session] : pairs) REQUIRE(sign(*client, key, session) == 0);
    tpm.bench.run_idle();
    CHECK(tpm.direct().handles(kKey).empty());
    CHECK(tpm.direct().handles(kAuth).empty());
  }
  CHECK(tpm.bench.notes.lost_handles.empty());
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("the same key in two contexts: the sessions of each outlive the other's", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  const std::uint32_t hers = alice->load_key(signing_key(2));
  const std::uint32_t his = bob->load_key(signing_key(2));
  Session her_session = alice->osap(kKeyHandle, hers, secret_of(2));
  Session his_session = bob->osap(kKeyHandle, his, secret_of(2));
  SECTION("when it is flushed") {
    CHECK(alice->flush(hers, kKey) == 0);
    CHECK(sign(*bob, his, his_session) == 0);
    CHECK(alice->handles(kAuth).empty());
  }
  SECTION("when its context closes") {
    tpm.disconnect(*alice);
    CHECK(sign(*bob, his, his_session) == 0);
  }
  SECTION("when it makes room") {
    for (int i = 0; i < 20; ++i) alice->load_key(open_key());
    CHECK(sign(*bob, his, his_session) == 0);
    CHECK(sign(*alice, hers, her_session) == 0);
  }
  CHECK(tpm.bench.notes.lost_handles.empty());
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a key's sessions end with it", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(2));
  Session session = client->osap(kKeyHandle, key, secret_of(2));
  const Session other = client->oiap(secret_of(2));
  if (GENERATE(false, true)) tpm.bench.run_idle();
  CHECK(client->flush(key, kKey) == 0);
  CHECK(client->handles(kAuth) == std::vector<std::uint32_t>{other.handle});
  const std::uint32_t again = client->load_key(signing_key(2));
  CHECK(sign(*client, again, session) == rc::kInvalidAuthHandle);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a session ends where the command says so", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  Session session = client->oiap(secret_of(1));
  REQUIRE(sign(*client, key, session) == 0);
  session.goes_on = false;
  REQUIRE(sign(*client, key, session) == 0);
  CHECK(client->handles(kAuth).empty());
  CHECK(sign(*client, key, session) == rc::kInvalidAuthHandle);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a session ends with the failure of its command", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  const Session kept = client->oiap(secret_of(1));
  Session wrong = client->oiap(secret_of(9));
  CHECK(sign(*client, key, wrong) == rc::kAuthFail);
  CHECK(client->handles(kAuth) == std::vector<std::uint32_t>{kept.handle});
  CHECK(sign(*client, key, wrong) == rc::kInvalidAuthHandle);
  // Also where the resource manager itself refuses.
  Session good = client->oiap(secret_of(1));
  CHECK(sign(*client, kFirstKey + 5, good) == rc::kInvalidKeyHandle);
  CHECK(client->handles(kAuth) == std::vector<std::uint32_t>{kept.handle});
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("another context's session answers as one that does not exist", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  auto chip = tpm.direct();
  const std::uint32_t key = bob->load_key(signing_key(1));
  Session hers = alice->oiap(secret_of(1));
  Session unknown{.handle = kNoHandle};
  CHECK(sign(chip, client12::kSrk, unknown) == rc::kInvalidAuthHandle);
  CHECK(sign(*bob, key, hers) == rc::kInvalidAuthHandle);
  CHECK(bob->handles(kAuth).empty());
  CHECK(bob->flush(hers.handle, kAuth) == chip.flush(kNoHandle, kAuth));
  CHECK(bob->flush(hers.handle, kTransport) == chip.flush(kNoHandle, kTransport));
  CHECK(bob->flush(1, kContext) == chip.flush(kNoHandle, kContext));
  CHECK(bob->save_context(hers.handle, kAuth).code == chip.save_context(kNoHandle, kAuth).code);
  CHECK(bob->run({.ordinal = ord::kTerminateHandle, .parameters = client12::words({hers.handle})})
            .code == rc::kInvalidAuthHandle);
  const std::uint32_t her_key = alice->load_key(signing_key(1));
  CHECK(sign(*alice, her_key, hers) == 0);
}

TEST_CASE("TPM_Terminate_Handle and TPM_Reset end a context's own sessions", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  const Session his = bob->oiap(secret_of(1));
  const Session first = alice->oiap(secret_of(1));
  alice->oiap(secret_of(1));
  alice->oiap(secret_of(1));
  CHECK(
      alice->run({.ordinal = ord::kTerminateHandle, .parameters = client12::words({first.handle})})
          .code == 0);
  CHECK(alice->handles(kAuth).size() == 2);
  CHECK(alice->run({.ordinal = ord::kReset}).code == 0);
  CHECK(alice->handles(kAuth).empty());
  CHECK(bob->handles(kAuth) == std::vector<std::uint32_t>{his.handle});
  tpm.bench.run_due();
  CHECK(tpm.direct().handles(kAuth).size() == 1);
}

TEST_CASE("a client can save a session and load it again", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  const bool bound = GENERATE(false, true);
  client->oiap(secret_of(1));
  Session session =
      bound ? client->osap(kKeyHandle, key, secret_of(1)) : client->oiap(secret_of(1));
  const auto blob = save(*client, session);
  // While it is saved, its handle means nothing.
  CHECK(sign(*client, key, session) == rc::kInvalidAuthHandle);
  CHECK(client->handles(kAuth).size() == 1);
  CHECK(client->handles(kContext) == std::vector<std::uint32_t>{count_of(blob)});

  SECTION("under its own handle") {
    CHECK(client->load_context(key, true, blob).handle == session.handle);
    CHECK(sign(*client, key, session) == 0);
    CHECK(client->load_context(key, true, blob).code == rc::kBadContext);
  }
  SECTION("under its own handle, which nobody else has got meanwhile") {
    CHECK(client->oiap(secret_of(1)).handle == kFirstAuth + 2);
    CHECK(client->load_context(key, false, blob).handle == session.handle);
    CHECK(sign(*client, key, session) == 0);
  }
  SECTION("after its key was loaded anew") {
    CHECK(client->flush(key, kKey) == 0);
    client->load_key(open_key());
    const std::uint32_t again = client->load_key(signing_key(1));
    CHECK(client->load_context(again, false, blob).handle == session.handle);
    CHECK(sign(*client, again, session) == 0);
  }
  SECTION("from another context of the same user") {
    const auto other = tpm.connect();
    const std::uint32_t same = other->load_key(signing_key(1));
    for (int i = 0; i < 2; ++i) other->oiap(secret_of(1));
    CHECK(other->load_context(same, true, blob).code == rc::kBadHandle);
    session.handle = other->load_context(same, false, blob).handle;
    CHECK(session.handle == kFirstAuth + 2);
    CHECK(sign(*other, same, session) == 0);
  }
  SECTION("not from a context of another user") {
    const auto other = tpm.connect(kBob);
    const std::uint32_t same = other->load_key(signing_key(1));
    CHECK(other->load_context(same, false, blob).code == rc::kBadContext);
    CHECK(other->flush(count_of(blob), kContext) == rc::kBadParameter);
    CHECK(client->load_context(key, false, blob).code == 0);
  }
  SECTION("not when it has flushed it") {
    CHECK(client->flush(count_of(blob), kContext) == 0);
    CHECK(client->load_context(key, false, blob).code == rc::kBadContext);
    tpm.bench.run_due();
    CHECK(tpm.direct().handles(kContext).empty());
  }
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a bound session is not loaded without its key", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  const std::uint32_t wrong = client->load_key(signing_key(2));
  Session session = client->osap(kKeyHandle, key, secret_of(1));
  const auto blob = save(*client, session);
  CHECK(client->load_context(kFirstKey + 9, false, blob).code == rc::kBadHandle);
  CHECK(client->load_context(wrong, false, blob).code == rc::kResourceMissing);
  CHECK(client->load_context(key, false, blob).code == 0);
  CHECK(sign(*client, key, session) == 0);
}

TEST_CASE("the older commands for session contexts work", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  Session session = client->oiap(secret_of(1));
  const auto saved = client->run(
      {.ordinal = ord::kSaveAuthContext, .parameters = client12::words({session.handle})});
  REQUIRE(saved.code == 0);
  CHECK(client->handles(kAuth).empty());
  const auto loaded = client->run(
      {.ordinal = ord::kLoadAuthContext, .parameters = saved.parameters, .returns_handle = true});
  REQUIRE(loaded.code == 0);
  session.handle = loaded.handle;
  CHECK(sign(*client, key, session) == 0);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a context that closes takes its saved sessions along", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  save(*client, client->oiap(secret_of(1)));
  client->oiap(secret_of(1));
  tpm.bench.run_idle();
  REQUIRE(tpm.direct().handles(kContext).size() == 2);
  tpm.disconnect(*client);
  tpm.bench.run_due();
  CHECK(tpm.direct().handles(kContext).empty());
}

TEST_CASE("when the TPM's list of saved sessions is full, the user with most gives one up",
          "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  std::vector<std::unique_ptr<RealTpm12::Client>> clients;
  const auto modest = tpm.connect(principal_of(UserId{1}));
  Session kept = modest->oiap(secret_of(1));
  // 16 loaded and 128 saved ones fit.
  for (std::uint32_t user = 2; user <= 6; ++user) {
    clients.push_back(tpm.connect(principal_of(UserId{user})));
    for (int i = 0; i < 32; ++i) clients.back()->oiap(secret_of(1));
  }
  CHECK(!tpm.bench.notes.dropped_sessions.empty());
  const std::uint32_t key = modest->load_key(signing_key(1));
  CHECK(sign(*modest, key, kept) == 0);
  Session newest = clients.back()->oiap(secret_of(1));
  const std::uint32_t his = clients.back()->load_key(signing_key(1));
  CHECK(sign(*clients.back(), his, newest) == 0);
}

TEST_CASE("a context can hold so many sessions and no more", "[rm12]") {
  exec::Options options;
  options.limits.sessions_per_context = 2;
  RealTpm12 tpm(options);
  const auto client = tpm.connect();
  client->oiap(secret_of(1));
  const Session second = client->oiap(secret_of(1));
  CHECK(client->property(tpm12::prop::kAuthSessions) == 0);
  CHECK(client->run({.ordinal = ord::kOiap, .returns_handle = true}).code == rc::kResources);
  CHECK(client->flush(second.handle, kAuth) == 0);
  CHECK(client->run({.ordinal = ord::kOiap, .returns_handle = true}).code == 0);
}

TEST_CASE("an old saved session is renewed before the TPM forgets its place", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  // A TPM that counts with eight bits.
  constexpr std::uint32_t kContextDistance = 0xFF;
  tpm.intercept = [](std::span<const std::uint8_t> command) -> std::optional<client12::Bytes> {
    const auto query =
        tpm12::build::get_capability(tpm12::cap::kProperty, tpm12::prop::kContextDistance);
    if (!std::ranges::equal(command, query)) return std::nullopt;
    return tpm12::capability_word(kContextDistance);
  };
  tpm.bench.bring_up();
  const auto client = tpm.connect();
  const std::uint32_t key = client->load_key(signing_key(1));
  Session idle = client->osap(kKeyHandle, key, secret_of(1));
  Session saved = client->osap(kKeyHandle, key, secret_of(1));
  const auto blob = save(*client, saved);
  Session busy = client->oiap(secret_of(1));
  tpm.bench.run_idle();
  for (int i = 0; i < 300; ++i) {
    REQUIRE(sign(*client, key, busy) == 0);
    tpm.bench.run_idle();
    const auto counts = tpm.direct().handles(kContext);
    REQUIRE(std::ranges::max(counts) - std::ranges::min(counts) < kContextDistance);
  }
  CHECK(tpm.bench.manager.state().statistics.gap_refreshes >= 4);
  CHECK(sign(*client, key, idle) == 0);
  // The client's blob is good still.
  CHECK(client->load_context(key, true, blob).handle == saved.handle);
  CHECK(sign(*client, key, saved) == 0);
}
