#include "daemon/server/state_changes.h"

#include <catch2/catch.hpp>

using tbs::server::changes_state;

TEST_CASE("commands that change the TPM for everybody", "[server][audit]") {
  CHECK(changes_state(2, 0x126));        // Clear
  CHECK(changes_state(2, 0x12A));        // NV_DefineSpace
  CHECK(changes_state(2, 0x120));        // EvictControl
  CHECK_FALSE(changes_state(2, 0x17B));  // GetRandom
  CHECK_FALSE(changes_state(2, 0x137));  // NV_Write
  CHECK(changes_state(1, 0x5B));         // TPM_ORD_OwnerClear
  CHECK(changes_state(1, 0xCC));         // TPM_ORD_NV_DefineSpace
  CHECK_FALSE(changes_state(1, 0x46));   // TPM_ORD_GetRandom
  CHECK_FALSE(changes_state(1, 0x126));
}
