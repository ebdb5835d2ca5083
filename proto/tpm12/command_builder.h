#pragma once

// Puts a TPM 1.2 command together: handles, parameters, and below the line the authorization
// sessions, which the tag counts (TPM Main Specification, Part 1, "Authorization protocols").

#include <cstdint>

#include "proto/command_parts.h"
#include "proto/tpm12/constants.h"

namespace tbs::tpm12 {

class CommandBuilder : public proto::CommandParts<CommandBuilder> {
 public:
  explicit CommandBuilder(std::uint32_t ordinal) : CommandParts(kTagCommand, ordinal) {}

  // What one session adds below the line: handle, nonceOdd, continueAuthSession, HMAC. At most two.
  CommandBuilder& authorization(proto::Bytes session) {
    ++sessions_;
    return bytes(session);
  }

  // Bytes behind their size.
  CommandBuilder& sized(proto::Bytes raw) {
    return u32(static_cast<std::uint32_t>(raw.size())).bytes(raw);
  }

  // The command. The builder is of no use afterwards.
  [[nodiscard]] proto::Buffer finish() {
    return complete(static_cast<std::uint16_t>(kTagCommand + sessions_));
  }

 private:
  std::uint16_t sessions_ = 0;
};

}  // namespace tbs::tpm12
