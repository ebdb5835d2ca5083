#pragma once

// Puts a TPM 2.0 command together from its parts, in the order in which they stand: handles, then
// authorizations, then parameters (TPM 2.0 Library, Part 1, "Command/Response Structure"). Tag and
// sizes follow from the parts. Structures come as bytes: marshalled by proto/tpm/structures.h, or
// by hand in libtbs, which tss2-mu is kept out of.

#include <cstddef>
#include <cstdint>

#include "proto/command_parts.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {

class CommandBuilder : public proto::CommandParts<CommandBuilder> {
 public:
  explicit CommandBuilder(std::uint32_t code) : CommandParts(kTagNoSessions, code) {}

  // One TPMS_AUTH_COMMAND.
  CommandBuilder& authorization(proto::Bytes auth_command) {
    if (area_ == 0) {
      area_ = size();
      u32(0);
    }
    bytes(auth_command);
    put(area_, size() - area_ - sizeof(std::uint32_t), sizeof(std::uint32_t));
    return *this;
  }

  // A TPM2B of these bytes, which are at most 65535.
  CommandBuilder& sized(proto::Bytes raw) {
    return u16(static_cast<std::uint16_t>(raw.size())).bytes(raw);
  }

  // The command. The builder is of no use afterwards.
  [[nodiscard]] proto::Buffer finish() {
    return complete(area_ == 0 ? kTagNoSessions : kTagSessions);
  }

 private:
  std::size_t area_ = 0;  // where the authorization area begins; 0: there is none
};

}  // namespace tbs::tpm
