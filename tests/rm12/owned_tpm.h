#pragma once

// A TPM 1.2 that has an owner, and keys for it: both take seconds to make, so all tests of the
// program share them.

#include <vector>

#include "tests/support/client12/crypto.h"
#include "tests/support/software_tpm.h"

namespace tbs::test {

// What an owned TPM has in its flash.
const SoftwareTpm::Flash& owned_flash();

// A signing key of that TPM, as TPM_LoadKey2 takes it; its secret is secret_of(number). At most 8.
const client12::Bytes& signing_key(std::uint8_t number);
// One that can be used without its secret.
const client12::Bytes& open_key();

}  // namespace tbs::test
