#include "proto/tpm/capability.h"

#include <algorithm>

#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"

namespace tbs::tpm {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;

static_assert(kMaxListedHandles == TPM2_MAX_CAP_HANDLES);
static_assert(kMaxListedProperties == TPM2_MAX_TPM_PROPERTIES);

// What a response holds.
struct Answer {
  bool more = false;
  TPMS_CAPABILITY_DATA data{};
};

std::optional<Answer> parse_answer(Bytes parameters, std::uint32_t capability) {
  if (parameters.empty()) return std::nullopt;
  const bool more = parameters.front() != TPM2_NO;
  const auto data = unmarshal<TPMS_CAPABILITY_DATA>(parameters.subspan(1));
  if (!data || data->capability != capability) return std::nullopt;
  return Answer{.more = more, .data = *data};
}

Buffer response_of(const Answer& answer) {
  Buffer parameters = {answer.more ? std::uint8_t{TPM2_YES} : std::uint8_t{TPM2_NO}};
  const Buffer data = marshal(answer.data);
  parameters.insert(parameters.end(), data.begin(), data.end());
  return proto::tpm_response(kTagNoSessions, TPM2_RC_SUCCESS, parameters);
}

}  // namespace

std::optional<CapabilityQuery> parse_capability_query(Bytes parameters) {
  ByteReader reader(parameters);
  CapabilityQuery query;
  query.capability = reader.be32();
  query.property = reader.be32();
  query.count = reader.be32();
  if (!reader.at_end()) return std::nullopt;
  return query;
}

std::optional<CapabilityList<std::uint32_t>> parse_words(Bytes parameters,
                                                         std::uint32_t capability) {
  const auto answer = parse_answer(parameters, capability);
  if (!answer) return std::nullopt;
  std::span<const std::uint32_t> words;
  if (capability == cap::kHandles) {
    words = std::span(answer->data.data.handles.handle).first(answer->data.data.handles.count);
  } else if (capability == cap::kCommands) {
    words = std::span(answer->data.data.command.commandAttributes)
                .first(answer->data.data.command.count);
  } else {
    return std::nullopt;
  }
  return CapabilityList<std::uint32_t>{.more = answer->more, .items = {words.begin(), words.end()}};
}

std::optional<CapabilityList<Property>> parse_properties(Bytes parameters) {
  const auto answer = parse_answer(parameters, cap::kProperties);
  if (!answer) return std::nullopt;
  const auto& listed = answer->data.data.tpmProperties;
  CapabilityList<Property> list{.more = answer->more, .items = {}};
  list.items.reserve(listed.count);
  for (const TPMS_TAGGED_PROPERTY& item : std::span(listed.tpmProperty).first(listed.count)) {
    list.items.push_back({.name = item.property, .value = item.value});
  }
  return list;
}

std::optional<TPML_PCR_SELECTION> parse_pcr_banks(Bytes parameters) {
  const auto answer = parse_answer(parameters, cap::kPcrs);
  if (!answer) return std::nullopt;
  return answer->data.data.assignedPCR;
}

Buffer handles_response(std::span<const std::uint32_t> handles, bool more) {
  const auto shown = handles.first(std::min(handles.size(), kMaxListedHandles));
  Answer answer{.more = more || shown.size() < handles.size(), .data = {}};
  answer.data.capability = cap::kHandles;
  answer.data.data.handles.count = static_cast<std::uint32_t>(shown.size());
  std::ranges::copy(shown, answer.data.data.handles.handle);
  return response_of(answer);
}

Buffer properties_response(const CapabilityList<Property>& properties) {
  const std::size_t shown = std::min(properties.items.size(), kMaxListedProperties);
  Answer answer{.more = properties.more || shown < properties.items.size(), .data = {}};
  answer.data.capability = cap::kProperties;
  auto& listed = answer.data.data.tpmProperties;
  listed.count = static_cast<std::uint32_t>(shown);
  for (std::size_t i = 0; i < shown; ++i) {
    const Property& property = properties.items[i];
    listed.tpmProperty[i] = {.property = property.name, .value = property.value};
  }
  return response_of(answer);
}

}  // namespace tbs::tpm
