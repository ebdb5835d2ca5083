#pragma once

// Responses of TPM2_GetCapability, read and made. Source: TPM 2.0 Library, Part 2,
// "TPMS_CAPABILITY_DATA".

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::tpm {

// The parameters of the command.
struct CapabilityQuery {
  std::uint32_t capability = 0;
  std::uint32_t property = 0;
  std::uint32_t count = 0;
};

std::optional<CapabilityQuery> parse_capability_query(proto::Bytes parameters);

struct Property {
  std::uint32_t name = 0;
  std::uint32_t value = 0;
};

// Lists in a response, with whether the TPM has more to say. Empty when the parameters are not
// such a list of that capability.
template <typename Item>
struct CapabilityList {
  bool more = false;
  std::vector<Item> items;
};

// Handles, and command attributes: capabilities whose items are single words.
std::optional<CapabilityList<std::uint32_t>> parse_words(proto::Bytes parameters,
                                                         std::uint32_t capability);
std::optional<CapabilityList<Property>> parse_properties(proto::Bytes parameters);

// Complete responses without sessions.
proto::Buffer handles_response(std::span<const std::uint32_t> handles, bool more);
// Overwrites the value of the property that stands at `index` of the list in such a response.
void put_property(std::span<std::uint8_t> response, std::size_t index, std::uint32_t value);

// How many handles fit into one response of every TPM (Part 2, "MAX_CAP_HANDLES").
inline constexpr std::size_t kMaxListedHandles = 254;

}  // namespace tbs::tpm
