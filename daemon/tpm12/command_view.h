#pragma once

// A TPM 1.2 command taken apart: header, handles, parameters, and the authorization sessions below
// the line. What is inside the parameters is left to those who know the ordinal.

#include <array>
#include <cstdint>
#include <expected>

#include "proto/byte_reader.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm12/ordinal_table.h"

namespace tbs::tpm12 {

// A handle in a command, and where it stands.
struct HandleField {
  std::size_t offset = 0;
  std::uint32_t value = 0;
};

struct AuthField {
  Kind kind = Kind::Auth;
  HandleField handle;
};

struct CommandView {
  std::uint16_t tag = 0;
  std::uint32_t ordinal = 0;
  const OrdinalInfo* info = nullptr;
  std::array<HandleField, 2> keys;  // info->keys of them
  std::array<AuthField, kMaxAuths> auths;
  std::uint8_t auth_count = 0;
  // Between the handles and the authorization sessions, and where they begin.
  proto::Bytes parameters;
  std::size_t parameters_offset = 0;
};

// `command` is a whole command; offsets are told from `base` on. Fails with the return code that a
// TPM gives to such a command: TPM_BAD_PARAM_SIZE, TPM_BADTAG, TPM_BAD_ORDINAL.
std::expected<CommandView, std::uint32_t> parse_command(proto::Bytes command, std::size_t base = 0);

// Where the command that TPM_ExecuteTransport wraps begins in its parameters.
inline constexpr std::size_t kWrappedCommandOffset = 4;

// The wrapped command of a TPM_ExecuteTransport, with offsets in the outer command. Its handles and
// sessions are in the clear, its parameters may be encrypted.
std::expected<CommandView, std::uint32_t> parse_wrapped_command(const CommandView& outer);

}  // namespace tbs::tpm12
