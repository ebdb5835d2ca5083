#pragma once

// A validated look into the bytes of one TPM 2.0 command: header, handle area, authorization area,
// parameters (TPM 2.0 Library, Part 1, "Command/Response Structure"). It owns nothing: the bytes
// must outlive it. Parameters are opaque here.

#include <array>
#include <cstdint>
#include <expected>

#include "daemon/tpm/command_info.h"
#include "proto/byte_reader.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {

// One TPMS_AUTH_COMMAND.
struct CommandSession {
  std::uint32_t handle = 0;
  std::uint8_t attributes = 0;
};

struct CommandView {
  const CommandInfo* info = nullptr;
  std::uint16_t tag = 0;
  std::array<std::uint32_t, kMaxHandles> handles{};  // the first info->handles count
  std::array<CommandSession, kMaxSessions> sessions{};
  std::uint8_t session_count = 0;
  proto::Bytes parameters;

  [[nodiscard]] std::uint32_t code() const { return info->code; }
  [[nodiscard]] bool has_sessions() const { return session_count != 0; }
};

// The command code of `command`; 0 when it is too short to have one.
std::uint32_t command_code_of(proto::Bytes command);

// Where the handle with this number (from 0) stands in a command or response.
constexpr std::size_t handle_offset(std::size_t number) {
  return kHeaderSize + 4 * number;
}

// Fails with the response code (without layer) that says what is wrong with the command. A view is
// made only of commands that the table knows, so that nothing half-understood goes on.
std::expected<CommandView, std::uint32_t> parse_command(proto::Bytes command,
                                                        const CommandTable& table);

// Overwrites the big-endian word at `offset`, which must lie inside `message`.
void put_be32(std::span<std::uint8_t> message, std::size_t offset, std::uint32_t value);

}  // namespace tbs::tpm
