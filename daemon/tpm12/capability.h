#pragma once

// TPM_GetCapability: the query of a client, and the TPM's answers to the daemon's own.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::tpm12 {

struct CapabilityQuery {
  std::uint32_t area = 0;
  // The sub-capability where it is one number, as most are.
  std::optional<std::uint32_t> sub;
};

// Where that number stands in the parameters.
inline constexpr std::size_t kSubCapabilityOffset = 8;

std::optional<CapabilityQuery> parse_capability_query(proto::Bytes parameters);

// From the parameters of a response: a number, a TPM_KEY_HANDLE_LIST, or numbers up to the end.
std::optional<std::uint32_t> parse_capability_word(proto::Bytes parameters);
std::optional<std::vector<std::uint32_t>> parse_handle_list(proto::Bytes parameters);
std::optional<std::vector<std::uint32_t>> parse_word_list(proto::Bytes parameters);

// TPM_PERMANENT_FLAGS (its disable) or TPM_STCLEAR_FLAGS (its deactivated).
struct Flags {
  bool disabled = false;
  bool deactivated = false;
};
std::optional<Flags> parse_flags(proto::Bytes parameters);

proto::Buffer capability_word(std::uint32_t word);
proto::Buffer handle_list(std::span<const std::uint32_t> handles);

}  // namespace tbs::tpm12
