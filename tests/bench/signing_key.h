#pragma once

// A P-256 signing key with a password, and signatures with it by password or by an HMAC session,
// as bytes of TPM commands (TPM 2.0 Library, Parts 1 and 3).

#include <cstdint>

#include "proto/byte_writer.h"
#include "tests/bench/client.h"

namespace tbs::bench {

struct SigningKey {
  std::uint32_t handle = 0;
  proto::Buffer name;
};

// A primary key of the owner's hierarchy; a new one for each `unique`.
SigningKey create_key(Client& client, std::uint32_t unique);
void flush(Client& client, std::uint32_t handle);
// The key's context as the TPM gives it out, and back.
proto::Buffer save(Client& client, std::uint32_t handle);
std::uint32_t load(Client& client, const proto::Buffer& context);

// Each signs the same digest and throws when the TPM does not.
void sign_by_password(Client& client, const SigningKey& key);

// An HMAC session without salt and binding, which goes on after each command.
class HmacSession {
 public:
  explicit HmacSession(Client& client);
  void sign(Client& client, const SigningKey& key);
  [[nodiscard]] std::uint32_t handle() const { return handle_; }

 private:
  [[nodiscard]] proto::Buffer authorization(const proto::Buffer& command_hash) const;
  void take_nonce(proto::Bytes response);

  std::uint32_t handle_ = 0;
  proto::Buffer caller_nonce_;
  proto::Buffer tpm_nonce_;
};

}  // namespace tbs::bench
