#pragma once

// TPM2_GetCapability: its parameters, and the lists in its response, read and made. Source: TPM 2.0
// Library, Part 3, "TPM2_GetCapability"; Part 2, "TPMS_CAPABILITY_DATA".

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tss2/tss2_tpm2_types.h>

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
// such a list of that capability, or longer than the specification lets one response be.
template <typename Item>
struct CapabilityList {
  bool more = false;
  std::vector<Item> items;
};

// Handles, and command attributes: capabilities whose items are single words.
std::optional<CapabilityList<std::uint32_t>> parse_words(proto::Bytes parameters,
                                                         std::uint32_t capability);
std::optional<CapabilityList<Property>> parse_properties(proto::Bytes parameters);
// The banks of PCRs: one response holds them all.
std::optional<TPML_PCR_SELECTION> parse_pcr_banks(proto::Bytes parameters);

// How many items fit into one response of every TPM (Part 2, "MAX_CAP_HANDLES",
// "MAX_TPM_PROPERTIES").
inline constexpr std::size_t kMaxListedHandles = 254;
inline constexpr std::size_t kMaxListedProperties = 127;

// Complete responses without sessions. Lists are cut to what fits.
proto::Buffer handles_response(std::span<const std::uint32_t> handles, bool more);
proto::Buffer properties_response(const CapabilityList<Property>& properties);

}  // namespace tbs::tpm
