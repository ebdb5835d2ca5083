// Transient objects and sequences.

#include "tests/integration/client_cases/case.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

TPM2_HANDLE primary(const TssClient& client) {
  TPM2_HANDLE key = 0;
  REQUIRE(client.create_primary(key) == TSS2_RC_SUCCESS);
  return key;
}

// The context is full when `add` is refused; one flush makes room for one more.
template <typename Add>
void check_limit(const TssClient& client, Add add) {
  const std::size_t before = client.handles(TPM2_TRANSIENT_FIRST).size();
  TPM2_HANDLE handle = 0;
  for (std::size_t i = before; i < kObjectLimit; ++i) REQUIRE(add(handle) == TSS2_RC_SUCCESS);
  TPM2_HANDLE refused = 0;
  CHECK(add(refused) == kNoObjectMemory);
  CHECK(client.handles(TPM2_TRANSIENT_FIRST).size() == kObjectLimit);
  REQUIRE(client.flush(handle) == TSS2_RC_SUCCESS);
  CHECK(add(handle) == TSS2_RC_SUCCESS);
  CHECK(add(refused) == kNoObjectMemory);
}

TSS2L_SYS_AUTH_COMMAND password() {
  TSS2L_SYS_AUTH_COMMAND made{};
  made.count = 1;
  made.auths[0].sessionHandle = TPM2_RS_PW;
  return made;
}

TPM2B_MAX_BUFFER block(std::uint8_t byte, std::uint16_t size) {
  TPM2B_MAX_BUFFER made{};
  made.size = size;
  std::fill_n(made.buffer, size, byte);
  return made;
}

void update(const TssClient& client, TPM2_HANDLE sequence, const TPM2B_MAX_BUFFER& data) {
  const TSS2L_SYS_AUTH_COMMAND authorization = password();
  CHECK(Tss2_Sys_SequenceUpdate(client.sys(), sequence, &authorization, &data, nullptr) ==
        TSS2_RC_SUCCESS);
}

std::vector<std::uint8_t> bytes_of(const TPM2B_DIGEST& digest) {
  return {digest.buffer, digest.buffer + digest.size};
}

std::vector<std::uint8_t> complete(const TssClient& client, TPM2_HANDLE sequence,
                                   const TPM2B_MAX_BUFFER& data) {
  const TSS2L_SYS_AUTH_COMMAND authorization = password();
  TPM2B_DIGEST digest{};
  TPMT_TK_HASHCHECK ticket{};
  CHECK(Tss2_Sys_SequenceComplete(client.sys(), sequence, &authorization, &data, TPM2_RH_NULL,
                                  &digest, &ticket, nullptr) == TSS2_RC_SUCCESS);
  return bytes_of(digest);
}

std::vector<std::uint8_t> hash(const TssClient& client, const TPM2B_MAX_BUFFER& data) {
  TPM2B_DIGEST digest{};
  TPMT_TK_HASHCHECK ticket{};
  CHECK(Tss2_Sys_Hash(client.sys(), nullptr, &data, TPM2_ALG_SHA256, TPM2_RH_NULL, &digest, &ticket,
                      nullptr) == TSS2_RC_SUCCESS);
  return bytes_of(digest);
}

}  // namespace

void transient_handles(TestBench& bench) {
  const TssClient neighbour(bench.socket());
  primary(neighbour);
  const TssClient client(bench.socket());
  std::vector<TPM2_HANDLE> keys;
  for (TPM2_HANDLE i = 0; i < 5; ++i) {
    keys.push_back(primary(client));
    CHECK(keys.back() == TPM2_TRANSIENT_FIRST + i);
  }
  CHECK(client.handles(TPM2_TRANSIENT_FIRST) == keys);
  CHECK(client.handles(keys[3]) == std::vector<TPM2_HANDLE>{keys[3], keys[4]});
  CHECK(neighbour.handles(TPM2_TRANSIENT_FIRST).size() == 1);
  // The lowest free handle is the next.
  REQUIRE(client.flush(keys[2]) == TSS2_RC_SUCCESS);
  CHECK(primary(client) == keys[2]);
}

void object_limit(TestBench& bench) {
  const TssClient client(bench.socket());
  const TPM2_HANDLE parent = primary(client);
  check_limit(client, [&](TPM2_HANDLE& key) { return client.create_key(parent, key); });
  // The limit is the context's, not everybody's.
  primary(TssClient(bench.socket()));
}

void object_limit_of_sequences(TestBench& bench) {
  const TssClient client(bench.socket());
  check_limit(client, [&](TPM2_HANDLE& sequence) { return client.start_hash(sequence); });
}

void object_limit_of_loads(TestBench& bench) {
  const TssClient client(bench.socket());
  TPMS_CONTEXT saved;
  REQUIRE(client.save(primary(client), saved) == TSS2_RC_SUCCESS);
  check_limit(client, [&](TPM2_HANDLE& key) { return client.load(saved, key); });
}

void transient_keys(TestBench& bench) {
  const TssClient client(bench.socket());
  const TPM2_HANDLE parent = primary(client);
  TPM2_HANDLE key = 0;
  REQUIRE(client.create_key(parent, key) == TSS2_RC_SUCCESS);
  CHECK(client.sign(key) == TSS2_RC_SUCCESS);
  TPMS_CONTEXT saved;
  REQUIRE(client.save(key, saved) == TSS2_RC_SUCCESS);
  // Saving does not take it away.
  CHECK(client.sign(key) == TSS2_RC_SUCCESS);
  REQUIRE(client.flush(key) == TSS2_RC_SUCCESS);
  CHECK(client.flush(key) == kUnknown);
  CHECK(client.sign(key) == (TSS2_RESMGR_RC_LAYER | TPM2_RC_HANDLE | TPM2_RC_1));
  REQUIRE(client.load(saved, key) == TSS2_RC_SUCCESS);
  CHECK(client.sign(key) == TSS2_RC_SUCCESS);
  CHECK(client.flush(key) == TSS2_RC_SUCCESS);
  CHECK(client.flush(parent) == TSS2_RC_SUCCESS);
}

void hash_sequences(TestBench& bench) {
  constexpr std::uint8_t kSequences = 10;
  const TssClient client(bench.socket());
  TPM2_HANDLE interrupted = 0;
  REQUIRE(client.start_hash(interrupted) == TSS2_RC_SUCCESS);
  update(client, interrupted, block(0xAA, 1024));
  std::vector<TPM2_HANDLE> sequences(kSequences);
  for (TPM2_HANDLE& sequence : sequences) {
    REQUIRE(client.start_hash(sequence) == TSS2_RC_SUCCESS);
  }
  for (int round = 0; round < 3; ++round) {
    for (std::uint8_t i = 0; i < kSequences; ++i) update(client, sequences[i], block(i, 100));
  }
  update(client, interrupted, block(0, 0));
  for (std::uint8_t i = kSequences; i-- > 0;) {
    CHECK(complete(client, sequences[i], block(i, 100)) == hash(client, block(i, 400)));
  }
  // 1028 bytes are more than TPM2_Hash takes at once: SHA-256 of 1028 times 0xAA.
  const std::vector<std::uint8_t> expected = complete(client, interrupted, block(0xAA, 4));
  TPM2_HANDLE again = 0;
  REQUIRE(client.start_hash(again) == TSS2_RC_SUCCESS);
  for (int i = 0; i < 4; ++i) update(client, again, block(0xAA, 256));
  CHECK(complete(client, again, block(0xAA, 4)) == expected);
  CHECK(client.handles(TPM2_TRANSIENT_FIRST).empty());
}

void object_of_another(TestBench& bench) {
  const TssClient owner(bench.socket());
  const TPM2_HANDLE key = primary(owner);
  const TssClient other(bench.socket());
  constexpr TSS2_RC kNoSuchHandle = TSS2_RESMGR_RC_LAYER | TPM2_RC_HANDLE | TPM2_RC_1;
  CHECK(other.read_public(key) == kNoSuchHandle);
  TPMS_CONTEXT saved;
  CHECK(other.save(key, saved) == kNoSuchHandle);
  CHECK(other.flush(key) == kUnknown);
  CHECK(owner.read_public(key) == TSS2_RC_SUCCESS);
}

void make_sticky(TestBench& bench) {
  const TssClient client(bench.socket());
  const TPM2_HANDLE parent = primary(client);
  TPM2_HANDLE key = 0;
  REQUIRE(client.create_key(parent, key) == TSS2_RC_SUCCESS);
  TPM2_HANDLE handle = key;
  REQUIRE(Tss2_Tcti_MakeSticky(client.tcti(), &handle, 1) == TSS2_RC_SUCCESS);
  CHECK(handle == key);
  TPM2_HANDLE other = parent;
  CHECK(Tss2_Tcti_MakeSticky(client.tcti(), &other, 1) == TSS2_TCTI_RC_MEMORY);
  other = key + 1;
  CHECK(Tss2_Tcti_MakeSticky(client.tcti(), &other, 1) == TSS2_TCTI_RC_BAD_VALUE);
  // What a signature takes, in commands to the TPM: with the key loaded, after others have filled
  // the TPM, and after that without the mark.
  const auto cost = [&] {
    const std::uint64_t before = bench.status().transmitted;
    CHECK(client.sign(key) == TSS2_RC_SUCCESS);
    return bench.status().transmitted - before;
  };
  const TssClient crowd(bench.socket());
  const std::uint64_t loaded = cost();
  for (int i = 0; i < 5; ++i) primary(crowd);
  CHECK(cost() == loaded);
  REQUIRE(Tss2_Tcti_MakeSticky(client.tcti(), &handle, 0) == TSS2_RC_SUCCESS);
  for (int i = 0; i < 5; ++i) primary(crowd);
  CHECK(cost() > loaded);
}

}  // namespace tbs::test
