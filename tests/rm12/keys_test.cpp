// Keys: loading, using and flushing them, more of them than the TPM has room for.

#include <catch2/catch.hpp>

#include "tests/rm12/fixture.h"

namespace tbs::test {
namespace {

using tpm12::secret_of;
using tpm12::sha1;

TEST_CASE("a client takes ownership, makes a key and signs") {
  RealTpm12 tpm;
  const auto client = tpm.connect();
  client->take_ownership();
  REQUIRE(client->owned());
  const auto key = client->create_key(secret_of(9));
  const std::uint32_t handle = client->load_key(key);
  CHECK(handle == 0x01000000);
  const auto digest = sha1({key});
  CHECK(tpm12::signature_is_good(tpm12::modulus_of(key), digest,
                                 client->sign(handle, secret_of(9), digest)));
  CHECK(tpm.bench.notes.differences.empty());
}

}  // namespace
}  // namespace tbs::test
