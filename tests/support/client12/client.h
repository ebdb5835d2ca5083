#pragma once

// A small TPM 1.2 client over anything that carries commands: sessions, ownership, keys,
// signatures, sealed data. It checks the HMAC of every response.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "proto/tpm12/constants.h"
#include "tests/support/client12/crypto.h"
#include "tests/support/client12/session.h"

namespace tbs::test::client12 {

inline constexpr std::uint32_t kSrk = tpm12::kReservedSrk;

// A secret that tests tell apart by a number.
Digest secret_of(std::uint8_t number);

struct Reply {
  std::uint32_t code = 0;
  std::uint32_t handle = 0;  // where the command returns one
  Bytes parameters;          // behind it
};

class Client {
 public:
  using Submit = std::function<Bytes(Bytes)>;

  explicit Client(Submit submit) : submit_(std::move(submit)) {}

  struct Command {
    std::uint32_t ordinal = 0;
    std::vector<std::uint32_t> handles;
    Bytes parameters;
    std::vector<Session*> sessions;
    bool returns_handle = false;
  };
  // Any command. Throws std::runtime_error when a successful response's HMAC is wrong.
  Reply run(const Command& command);
  // The bytes of a command, and a response of the TPM to it.
  Bytes bytes_of(const Command& command);
  Reply parse(const Command& command, const Bytes& response);
  Bytes exchange(Bytes command) { return submit_(std::move(command)); }

  // These throw std::runtime_error with the TPM's return code when it refuses.
  Session oiap(const Digest& secret);
  Session osap(std::uint16_t entity_type, std::uint32_t entity, const Digest& secret);
  // Makes the endorsement key where there is none, and takes ownership; secrets 1 (owner) and 2
  // (SRK).
  void take_ownership();
  bool owned();
  // A signing key (1024 bits) under the SRK, with this secret: the TPM_KEY12 that loads it. Without
  // `authorized` it can be used without the secret.
  Bytes create_key(const Digest& secret, bool authorized = true);
  std::uint32_t load_key(View wrapped);
  Bytes sign(std::uint32_t key, const Digest& key_secret, const Digest& digest);
  Bytes seal(const Digest& secret, View data);
  Bytes unseal(const Digest& secret, View blob);

  std::uint32_t flush(std::uint32_t handle, std::uint32_t resource_type);
  std::vector<std::uint32_t> handles(std::uint32_t resource_type);
  std::uint32_t property(std::uint32_t sub);
  Reply save_context(std::uint32_t handle, std::uint32_t resource_type);
  Reply load_context(std::uint32_t entity, bool keep, View blob);

 private:
  Reply must(const Command& command);

  Submit submit_;
};

// The signature in the parameters of TPM_Sign's response, or a TPM_CONTEXT_BLOB in those of
// TPM_SaveContext's: bytes behind their size.
Bytes sized(View bytes);

}  // namespace tbs::test::client12
