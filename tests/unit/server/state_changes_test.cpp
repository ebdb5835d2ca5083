#include "daemon/server/state_changes.h"

#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using server::changes_state;

TEST_CASE("commands that change the TPM for everybody", "[server][audit]") {
  CHECK(changes_state(Family::Tpm20, tpm::cc::kClear));
  CHECK(changes_state(Family::Tpm20, tpm::cc::kNvDefineSpace));
  CHECK(changes_state(Family::Tpm20, tpm::cc::kEvictControl));
  CHECK_FALSE(changes_state(Family::Tpm20, tpm::cc::kGetRandom));
  CHECK_FALSE(changes_state(Family::Tpm20, tpm::cc::kNvWrite));
  CHECK(changes_state(Family::Tpm12, tpm12::ord::kOwnerClear));
  CHECK(changes_state(Family::Tpm12, tpm12::ord::kNvDefineSpace));
  CHECK_FALSE(changes_state(Family::Tpm12, tpm12::ord::kGetRandom));
  CHECK_FALSE(changes_state(Family::Tpm12, tpm::cc::kClear));
}
