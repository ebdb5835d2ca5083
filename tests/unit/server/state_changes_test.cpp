#include "daemon/server/state_changes.h"

#include <catch2/catch.hpp>

using tbs::Family;
using tbs::server::changes_state;

TEST_CASE("commands that change the TPM for everybody", "[server][audit]") {
  CHECK(changes_state(Family::Tpm20, 0x126));        // Clear
  CHECK(changes_state(Family::Tpm20, 0x12A));        // NV_DefineSpace
  CHECK(changes_state(Family::Tpm20, 0x120));        // EvictControl
  CHECK_FALSE(changes_state(Family::Tpm20, 0x17B));  // GetRandom
  CHECK_FALSE(changes_state(Family::Tpm20, 0x137));  // NV_Write
  CHECK(changes_state(Family::Tpm12, 0x5B));         // TPM_ORD_OwnerClear
  CHECK(changes_state(Family::Tpm12, 0xCC));         // TPM_ORD_NV_DefineSpace
  CHECK_FALSE(changes_state(Family::Tpm12, 0x46));   // TPM_ORD_GetRandom
  CHECK_FALSE(changes_state(Family::Tpm12, 0x126));
}
