#pragma once

// An authorization session of a TPM 1.2 as its client sees it: the nonces, and the HMACs of
// commands and responses (Part 1, "Authorization protocols").

#include <cstdint>

#include "tests/support/client12/crypto.h"

namespace tbs::test::client12 {

struct Session {
  std::uint32_t handle = 0;
  Digest nonce_even{};
  Digest nonce_odd{};
  // The secret of the entity (OIAP), or the shared secret (OSAP).
  Digest secret{};
  bool goes_on = true;

  // The 45 bytes below the line of a command whose parameters have this digest.
  Bytes authorize(const Digest& in_parameters);
  // Checks the 41 bytes below the line of the response, and takes over the nonce.
  bool accept(View authorization, const Digest& out_parameters);
  // A new entity's secret, encrypted; the second of a command is encrypted with `odd`.
  [[nodiscard]] Digest encrypt(const Digest& new_secret, const Digest& nonce) const;
};

}  // namespace tbs::test::client12
