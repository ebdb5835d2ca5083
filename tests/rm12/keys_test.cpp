// Keys: loading, using and flushing them, more of them than the TPM has room for.

#include "tests/rm12/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;
using client12::secret_of;
using client12::sha1;

namespace {

void check_signature(client12::Client& client, std::uint32_t handle, std::uint8_t number) {
  const auto digest = sha1({signing_key(number), client12::Bytes{number}});
  REQUIRE(client12::signature_is_good(client12::modulus_of(signing_key(number)), digest,
                                      client.sign(handle, secret_of(number), digest)));
}

// TPM_KeyControlOwner: makes a key permanent, or ordinary again.
client12::Reply control(client12::Client& client, std::uint32_t handle, std::uint8_t number,
                        bool on) {
  auto session = client.oiap(secret_of(1));
  session.goes_on = false;
  client12::Bytes parameters = client12::key_parameters(1024, client12::KeyUse::Signing);
  const auto modulus = client12::sized_bytes(client12::modulus_of(signing_key(number)));
  parameters.insert(parameters.end(), modulus.begin(), modulus.end());
  parameters.insert(parameters.end(), {0, 0, 0, 1, static_cast<std::uint8_t>(on ? 1 : 0)});
  return client.run({.ordinal = ord::kKeyControlOwner,
                     .handles = {handle},
                     .parameters = parameters,
                     .sessions = {&session}});
}

}  // namespace

TEST_CASE("a client signs with a loaded key", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t handle = client->load_key(signing_key(1));
  CHECK(handle == kFirstKey);
  check_signature(*client, handle, 1);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a key that fits costs one TPM command per client command", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  const auto client = tpm.connect();
  const std::uint32_t handle = client->load_key(open_key());
  tpm.bench.sent.clear();
  for (int i = 0; i < 20; ++i) REQUIRE(sign_openly(*client, handle).code == 0);
  CHECK(tpm.bench.sent.size() == 20);
}

TEST_CASE("more keys than slots cost three commands each at most", "[rm12]") {
  RealTpm12 tpm(exec::Options{});
  const auto client = tpm.connect();
  const std::size_t slots = tpm.bench.manager.state().facts.keys.known;
  REQUIRE(slots == 20);
  std::vector<std::uint32_t> handles;
  for (std::size_t i = 0; i < slots + 10; ++i) handles.push_back(client->load_key(open_key()));
  for (const std::uint32_t handle : handles) REQUIRE(sign_openly(*client, handle).code == 0);
  const auto saves = tpm.bench.manager.state().statistics.object_saves;
  tpm.bench.sent.clear();
  for (int round = 0; round < 3; ++round) {
    for (const std::uint32_t handle : handles) REQUIRE(sign_openly(*client, handle).code == 0);
  }
  CHECK(tpm.bench.sent.size() <= 3 * handles.size() * 3);
  // A key never changes: it was saved once.
  CHECK(tpm.bench.manager.state().statistics.object_saves - saves <= slots);
}

TEST_CASE("twenty contexts with three keys each sign in turn", "[rm12]") {
  RealTpm12 tpm;
  std::vector<std::unique_ptr<RealTpm12::Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(tpm.connect());
    for (std::uint8_t key = 0; key < 3; ++key) {
      REQUIRE(clients.back()->load_key(signing_key(key)) == kFirstKey + key);
    }
  }
  for (const auto& client : clients) {
    for (std::uint8_t key = 0; key < 3; ++key) check_signature(*client, kFirstKey + key, key);
  }
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("handles of keys are the lowest free ones, and listed to their context alone", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  for (std::uint32_t i = 0; i < 3; ++i) {
    REQUIRE(alice->load_key(signing_key(0)) == kFirstKey + i);
  }
  CHECK(bob->handles(kKey).empty());
  CHECK(bob->load_key(signing_key(1)) == kFirstKey);
  CHECK(alice->flush(kFirstKey + 1, kKey) == 0);
  CHECK(alice->handles(kKey) == std::vector<std::uint32_t>{kFirstKey, kFirstKey + 2});
  CHECK(alice->load_key(signing_key(0)) == kFirstKey + 1);
  CHECK(bob->handles(kKey) == std::vector<std::uint32_t>{kFirstKey});
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("another context's key answers as one that does not exist", "[rm12]") {
  RealTpm12 tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  auto chip = tpm.direct();
  const std::uint32_t hers = alice->load_key(open_key());
  const std::uint32_t unknown = sign_openly(chip, kNoHandle).code;
  CHECK(unknown == rc::kInvalidKeyHandle);
  CHECK(sign_openly(*bob, hers).code == unknown);
  CHECK(bob->flush(hers, kKey) == chip.flush(kNoHandle, kKey));
  CHECK(bob->save_context(hers, kKey).code == chip.save_context(kNoHandle, kKey).code);
  CHECK(bob->run({.ordinal = ord::kEvictKey, .handles = {hers}}).code ==
        chip.run({.ordinal = ord::kEvictKey, .handles = {kNoHandle}}).code);
  // Nor by the number that the TPM gave it.
  const auto physical = chip.handles(kKey);
  REQUIRE(physical.size() == 1);
  CHECK(sign_openly(*bob, physical.front()).code == rc::kInvalidKeyHandle);
  CHECK(sign_openly(*alice, hers).code == 0);
}

TEST_CASE("TPM_EvictKey flushes a key", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const std::uint32_t handle = client->load_key(open_key());
  CHECK(client->run({.ordinal = ord::kEvictKey, .handles = {handle}}).code == 0);
  CHECK(sign_openly(*client, handle).code == rc::kInvalidKeyHandle);
  tpm.bench.run_due();
  CHECK(tpm.direct().handles(kKey).empty());
}

TEST_CASE("TPM_LoadKey keeps the TPM's handle, because its HMAC covers it", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  auto session = client->oiap(secret_of(2));
  session.goes_on = false;
  // The handle counts as a parameter here.
  const auto reply = client->run({.ordinal = ord::kLoadKey,
                                  .handles = {client12::kSrk},
                                  .parameters = signing_key(4),
                                  .sessions = {&session}});
  REQUIRE(reply.code == 0);
  proto::ByteReader reader(reply.parameters);
  const std::uint32_t handle = reader.be32();
  CHECK(tpm.direct().handles(kKey) == std::vector<std::uint32_t>{handle});
  tpm.bench.run_idle();
  CHECK(tpm.direct().handles(kKey).empty());
  check_signature(*client, handle, 4);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a context that closes leaves nothing in the TPM", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect();
  for (std::uint8_t i = 0; i < 4; ++i) client->load_key(signing_key(i));
  client->osap(kKeyHandle, kFirstKey + 2, secret_of(2));
  client->oiap(secret_of(1));
  const std::uint32_t kept = other->load_key(open_key());
  tpm.bench.run_idle();
  client->sign(kFirstKey + 1, secret_of(1), sha1({}));
  tpm.disconnect(*client);
  tpm.bench.run_due();
  auto chip = tpm.direct();
  CHECK(chip.handles(kKey).empty());
  CHECK(chip.handles(kAuth).empty());
  CHECK(chip.handles(kContext).empty());
  CHECK(sign_openly(*other, kept).code == 0);
}

TEST_CASE("leftovers of an earlier run are removed", "[rm12]") {
  RealTpm12 tpm;
  auto chip = tpm.direct();
  chip.load_key(signing_key(0));
  chip.oiap(secret_of(1));
  const auto saved = chip.oiap(secret_of(1));
  REQUIRE(chip.save_context(saved.handle, kAuth).code == 0);
  REQUIRE(chip.handles(kContext).size() == 1);
  Rm12Bench fresh(exec::Options{}, [&tpm](auto command) { return tpm.chip.run(command); });
  fresh.bring_up();
  CHECK(chip.handles(kKey).empty());
  CHECK(chip.handles(kAuth).empty());
  CHECK(chip.handles(kContext).empty());
  CHECK(fresh.manager.state().facts.keys.known == 20);
  CHECK(fresh.manager.state().facts.auths.known == 16);
}

TEST_CASE("what a detached command loads is flushed", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  tpm.bench.on_transmit = [](exec::Execution& execution, const exec::Transmit& transmit) {
    const bool loads = ordinal_of(transmit.command) == ord::kLoadKey2;
    if (loads && transmit.client_command) execution.detach();
  };
  client->load_key(signing_key(0));
  tpm.bench.on_transmit = nullptr;
  CHECK(client->handles(kKey).empty());
  CHECK(tpm.direct().handles(kKey).empty());
}

TEST_CASE("a saved key context can be loaded again, under its own handle", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  client->load_key(signing_key(3));
  const std::uint32_t handle = client->load_key(signing_key(5));
  const auto blob = client12::sized(client->save_context(handle, kKey).parameters);
  CHECK(client->load_context(0, true, blob).code == rc::kBadHandle);  // it is in use
  CHECK(client->load_context(0, false, blob).handle == kFirstKey + 2);
  CHECK(client->flush(handle, kKey) == 0);
  CHECK(client->load_context(0, true, blob).handle == handle);
  check_signature(*client, handle, 5);
  check_signature(*client, kFirstKey + 2, 5);
  const auto shared = other->load_context(0, false, blob);
  REQUIRE(shared.code == 0);
  check_signature(*other, shared.handle, 5);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("the older commands for key contexts work", "[rm12]") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  client->load_key(signing_key(3));
  const std::uint32_t handle = client->load_key(signing_key(5));
  const auto saved = client->run({.ordinal = ord::kSaveKeyContext, .handles = {handle}});
  REQUIRE(saved.code == 0);
  CHECK(client->handles(kKey) == std::vector<std::uint32_t>{kFirstKey});
  const auto loaded = client->run(
      {.ordinal = ord::kLoadKeyContext, .parameters = saved.parameters, .returns_handle = true});
  REQUIRE(loaded.code == 0);
  CHECK(loaded.handle == handle);
  check_signature(*client, handle, 5);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a key that the owner makes permanent belongs to everybody", "[rm12]") {
  RealTpm12 tpm;
  auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  const std::uint32_t handle = client->load_key(signing_key(6));
  REQUIRE(control(*client, handle, 6, true).code == 0);
  const auto shared = other->handles(kKey);
  REQUIRE(shared.size() == 1);
  check_signature(*other, shared.front(), 6);
  check_signature(*client, handle, 6);
  CHECK(client->flush(handle, kKey) == rc::kKeyOwnerControl);
  CHECK(other->flush(shared.front(), kKey) == rc::kKeyOwnerControl);
  tpm.disconnect(*client);
  tpm.bench.run_idle();
  check_signature(*other, shared.front(), 6);

  SECTION("also when the daemon is started anew") {
    Rm12Bench fresh(exec::Options{}, [&tpm](auto command) { return tpm.chip.run(command); });
    fresh.bring_up();
    CHECK(fresh.manager.state().table.permanent_keys ==
          std::vector{exec::PhysicalHandle{shared.front()}});
    CHECK(tpm.direct().handles(kKey) == shared);
  }
  SECTION("until he makes it an ordinary one") {
    REQUIRE(control(*other, shared.front(), 6, false).code == 0);
    CHECK(other->handles(kKey) == shared);
    check_signature(*other, shared.front(), 6);
    CHECK(tpm.connect()->handles(kKey).empty());
    CHECK(other->flush(shared.front(), kKey) == 0);
    tpm.bench.run_due();
    CHECK(tpm.direct().handles(kKey).empty());
  }
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("a context can hold so many keys and no more", "[rm12]") {
  exec::Options options;
  options.limits.objects_per_context = 3;
  RealTpm12 tpm(options);
  const auto client = tpm.connect();
  for (int i = 0; i < 3; ++i) client->load_key(open_key());
  auto session = client->oiap(secret_of(2));
  const auto refused = client->run({.ordinal = ord::kLoadKey2,
                                    .handles = {client12::kSrk},
                                    .parameters = open_key(),
                                    .sessions = {&session},
                                    .returns_handle = true});
  CHECK(refused.code == rc::kResources);
  CHECK(client->property(tpm12::prop::kKeys) == 0);
  CHECK(client->handles(kAuth).empty());
}
