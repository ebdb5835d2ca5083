#include "proto/tpm/constants.h"
#include "tests/rm/fixture.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::test;

namespace {

// Keys in every hierarchy, more than fit: some are loaded, some are not.
void fill(EsysClient& client) {
  for (std::uint8_t i = 0; i < 2; ++i) {
    for (const ESYS_TR hierarchy :
         {ESYS_TR_RH_OWNER, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_RH_PLATFORM, ESYS_TR_RH_NULL}) {
      REQUIRE(client.create_primary(i, hierarchy) != ESYS_TR_NONE);
    }
  }
}

}  // namespace

TEST_CASE("TPM2_Clear removes the keys of its hierarchies and no other", "[rm][hierarchy]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  const auto other = tpm.connect(kBob);
  fill(*client);
  const ESYS_TR kept = other->create_primary(5, ESYS_TR_RH_NULL);
  REQUIRE(client->check(
      Esys_Clear(client->get(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE)));
  CHECK(client->handles(TPM2_TRANSIENT_FIRST) ==
        std::vector<TPM2_HANDLE>{tpm::kTransientFirst + 2, tpm::kTransientFirst + 3,
                                 tpm::kTransientFirst + 6, tpm::kTransientFirst + 7});
  CHECK(other->sign(kept));
  CHECK(tpm.bench.notes.restarts == 0);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("switching a hierarchy off removes its keys", "[rm][hierarchy]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  fill(*client);
  REQUIRE(client->check(Esys_HierarchyControl(client->get(), ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD,
                                              ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_RH_ENDORSEMENT,
                                              TPM2_NO)));
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 6);
  CHECK(tpm.bench.notes.differences.empty());
  REQUIRE(client->check(Esys_HierarchyControl(client->get(), ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD,
                                              ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_RH_ENDORSEMENT,
                                              TPM2_YES)));
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 6);
  CHECK(tpm.bench.notes.differences.empty());
}

TEST_CASE("new seeds remove the keys of the old ones", "[rm][hierarchy]") {
  RealTpm tpm;
  const auto client = tpm.connect();
  fill(*client);
  REQUIRE(client->check(Esys_ChangePPS(client->get(), ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE)));
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 6);
  REQUIRE(client->check(Esys_ChangeEPS(client->get(), ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE)));
  CHECK(client->handles(TPM2_TRANSIENT_FIRST).size() == 4);
  CHECK(tpm.bench.notes.differences.empty());
}
