#include <array>

#include "daemon/tpm/response_code.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/rm/response_fields.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

exec::Options unverified() {
  return {};
}

}  // namespace

TEST_CASE("keys that fit cost one TPM command per client command", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  REQUIRE(client->sign(key));
  tpm.bench.sent.clear();
  for (int i = 0; i < 50; ++i) REQUIRE(client->sign(key));
  REQUIRE(tpm.bench.sent.size() == 50);
}

TEST_CASE("six keys in turn on three slots cost at most three commands each", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  std::array<ESYS_TR, 6> keys{};
  for (std::uint8_t i = 0; i < keys.size(); ++i) keys[i] = client->create_primary(i);
  for (const ESYS_TR key : keys) REQUIRE(client->sign(key));
  tpm.bench.sent.clear();
  const auto saves = tpm.bench.manager.statistics().object_saves;
  for (int round = 0; round < 10; ++round) {
    for (const ESYS_TR key : keys) REQUIRE(client->sign(key));
  }
  REQUIRE(tpm.bench.sent.size() <= 60 * 3);
  REQUIRE(tpm.bench.manager.statistics().object_saves - saves <= keys.size());
  REQUIRE(tpm.bench.manager.facts().object_slots == 3);
}

TEST_CASE("virtual handles start at 0x80000000 and reuse the lowest free one", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::array<ESYS_TR, 5> keys{};
  for (std::uint8_t i = 0; i < keys.size(); ++i) {
    keys[i] = client->create_primary(i);
    REQUIRE(client->tpm_handle(keys[i]) == TPM2_TRANSIENT_FIRST + i);
  }
  const std::vector<TPM2_HANDLE> all = {tpm::kTransientFirst, tpm::kTransientFirst + 1,
                                        tpm::kTransientFirst + 2, tpm::kTransientFirst + 3,
                                        tpm::kTransientFirst + 4};
  REQUIRE(client->handles(TPM2_TRANSIENT_FIRST) == all);
  REQUIRE(client->flush(keys[3]));
  REQUIRE(client->flush(keys[1]));
  REQUIRE(client->handles(TPM2_TRANSIENT_FIRST + 1) ==
          std::vector<TPM2_HANDLE>{tpm::kTransientFirst + 2, tpm::kTransientFirst + 4});
  REQUIRE(client->tpm_handle(client->start_hash()) == tpm::kTransientFirst + 1);
  REQUIRE(client->tpm_handle(client->create_primary(9)) == tpm::kTransientFirst + 3);
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("contexts do not see each other's objects", "[rm]") {
  RealTpm tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  const ESYS_TR hers = alice->create_primary(1);
  REQUIRE(bob->handles(TPM2_TRANSIENT_FIRST).empty());
  const ESYS_TR his = bob->create_primary(2);
  REQUIRE(alice->tpm_handle(hers) == bob->tpm_handle(his));
  const ESYS_TR second = bob->create_primary(3);
  REQUIRE(bob->flush(second));
  REQUIRE(alice->sign(hers));
  REQUIRE(bob->sign(his));
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("an unknown transient handle is refused without the TPM", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const auto other = tpm.connect(kBob);
  REQUIRE(client->flush(key));
  tpm.bench.sent.clear();
  const auto read = tpm.bench.submit(other->id, tpm::build::read_public(tpm::kTransientFirst));
  REQUIRE(read == tpm::refusal(tpm::at_handle(tpm::rc::kHandle, 1)));
  // The handle is a parameter.
  const auto flushed = tpm.bench.submit(other->id, tpm::build::flush_context(tpm::kTransientFirst));
  REQUIRE(flushed == tpm::refusal(tpm::at_parameter(tpm::rc::kHandle, 1)));
  REQUIRE(tpm.bench.sent.empty());
}

TEST_CASE("hash sequences keep their state through evictions", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  std::array<ESYS_TR, 7> sequences{};
  for (auto& sequence : sequences) sequence = client->start_hash();
  for (std::uint8_t round = 0; round < 3; ++round) {
    for (std::uint8_t i = 0; i < sequences.size(); ++i) {
      REQUIRE(client->update(sequences[i], i));
    }
  }
  // SHA-256 of three bytes of the sequence's number.
  const std::array<int, 7> expected = {0x70, 0x75, 0x97, 0x99, 0x21, 0x34, 0x56};
  std::array<int, 7> digests{};
  for (std::size_t i = 0; i < sequences.size(); ++i) digests[i] = client->complete(sequences[i]);
  CHECK(digests == expected);
  REQUIRE(client->handles(TPM2_TRANSIENT_FIRST).empty());
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("an object that was saved by a client loads in every context", "[rm]") {
  RealTpm tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  const ESYS_TR key = alice->create_primary(1);
  const auto blob = alice->save(key);
  REQUIRE(blob != nullptr);
  REQUIRE(blob->savedHandle == tpm::kTransientFirst);
  const ESYS_TR copy = bob->load(*blob);
  REQUIRE(bob->sign(copy));
  REQUIRE(alice->sign(key));
  for (std::uint8_t i = 2; i < 6; ++i) alice->create_primary(i);
  REQUIRE(bob->sign(copy));
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("saving an object twice, and loading what memory knows, costs little", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  REQUIRE(client->save(key) != nullptr);
  tpm.bench.sent.clear();
  const auto blob = client->save(key);
  REQUIRE(blob != nullptr);
  REQUIRE(tpm.bench.sent.empty());
  // What the client saved and loads needs no saving of ours.
  tpm.bench.run_idle();
  REQUIRE(tpm.bench.sent == std::vector<std::uint32_t>{TPM2_CC_FlushContext});
  REQUIRE(client->flush(key));
  REQUIRE(tpm.bench.sent.size() == 1);
  REQUIRE(client->sign(client->load(*blob)));
}

TEST_CASE("a context blob with padding behind it loads", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  const auto saved = tpm.bench.submit(client->id, tpm::build::context_save(tpm::kTransientFirst));
  std::vector<std::uint8_t> padded(saved.begin() + tpm::kHeaderSize, saved.end());
  padded.resize(padded.size() + 100);
  const auto loaded = tpm.bench.submit(client->id, tpm::build::context_load(padded));
  REQUIRE(code_of(loaded) == tpm::rc::kSuccess);
  REQUIRE(handle_in(loaded) == tpm::kTransientFirst + 1);
  REQUIRE(client->flush(key));
}

TEST_CASE("the public part of an object is read from the TPM once", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  const auto read = tpm::build::read_public(tpm::kTransientFirst);
  const ESYS_TR key = client->create_primary(1);
  tpm.bench.sent.clear();
  const auto first = tpm.bench.submit(client->id, read);
  REQUIRE(tpm.bench.submit(client->id, read) == first);
  REQUIRE(tpm.bench.sent.size() == 1);
  REQUIRE(client->flush(key));
  client->create_primary(2);
  const auto other = tpm.bench.submit(client->id, read);
  REQUIRE(other.size() == first.size());
  REQUIRE(other != first);
}

TEST_CASE("a closed context leaves nothing behind", "[rm]") {
  RealTpm tpm;
  const auto alice = tpm.connect(kAlice);
  const auto bob = tpm.connect(kBob);
  for (std::uint8_t i = 0; i < 5; ++i) alice->create_primary(i);
  alice->start_session(TPM2_SE_HMAC);
  tpm.disconnect(*alice);
  tpm.bench.run_due();
  const ESYS_TR key = bob->create_primary(9);
  REQUIRE(bob->sign(key));
  REQUIRE(tpm.bench.manager.holdings(alice->id).objects == 0);
  tpm.bench.run_idle();
  REQUIRE(tpm.bench.notes.differences.empty());
}

TEST_CASE("a context and a user have a limit of objects", "[rm]") {
  exec::Options options;
  options.limits.objects_per_context = 4;
  options.limits.objects_per_user = 6;
  RealTpm tpm(options);
  const auto first = tpm.connect();
  for (int i = 0; i < 4; ++i) REQUIRE(first->start_hash() != ESYS_TR_NONE);
  REQUIRE(first->start_hash() == ESYS_TR_NONE);
  REQUIRE(first->fault() == tpm::by_resource_manager(tpm::rc::kObjectMemory));
  const auto second = tpm.connect();
  const ESYS_TR key = second->create_primary(1);
  const auto blob = second->save(key);
  REQUIRE(second->load(*blob) != ESYS_TR_NONE);
  REQUIRE(second->load(*blob) == ESYS_TR_NONE);
  REQUIRE(second->fault() == tpm::by_resource_manager(tpm::rc::kObjectMemory));
  const auto bob = tpm.connect(kBob);
  REQUIRE(bob->create_primary(1) != ESYS_TR_NONE);
}

TEST_CASE("loading a key by its parent evicts neither of them", "[rm]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  for (std::uint8_t i = 0; i < 3; ++i) REQUIRE(client->create_primary(i) != ESYS_TR_NONE);
  // Persistent keys take a slot of libtpms while they are used.
  const ESYS_TR key = client->create_primary(7);
  ESYS_TR persistent = ESYS_TR_NONE;
  REQUIRE(client->check(Esys_EvictControl(client->get(), ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD,
                                          ESYS_TR_NONE, ESYS_TR_NONE, tpm::kPersistentFirst + 1,
                                          &persistent)));
  for (int i = 0; i < 5; ++i) REQUIRE(client->sign(persistent));
  REQUIRE(client->check(Esys_EvictControl(client->get(), ESYS_TR_RH_OWNER, persistent,
                                          ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                          tpm::kPersistentFirst + 1, &persistent)));
  REQUIRE(client->sign(key));
  REQUIRE(tpm.bench.manager.facts().persistent_takes_slot);
  REQUIRE(tpm.bench.notes.differences.empty());
}
