#pragma once

// TPM 2.0 structures as bytes and back, by tss2-mu. Everything that has a structure in tpm2-tss
// goes through here; docs/architecture.md, "Marshalling", says what is done by hand and why.
//
// A function of tss2-mu that is given malformed bytes writes to standard error. Programs call
// silence_marshalling() first, before they have a second thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <tss2/tss2_mu.h>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {

// Lets tss2-mu say nothing, unless the environment (TSS2_LOG) says otherwise.
void silence_marshalling();

// The two functions of tss2-mu for a structure.
template <typename Structure>
struct Marshalling;

#define TBS_MARSHALLING(type)                               \
  template <>                                               \
  struct Marshalling<type> {                                \
    static constexpr auto kTo = Tss2_MU_##type##_Marshal;   \
    static constexpr auto kOf = Tss2_MU_##type##_Unmarshal; \
  }
TBS_MARSHALLING(TPM2B_DATA);
TBS_MARSHALLING(TPM2B_DIGEST);
TBS_MARSHALLING(TPM2B_EVENT);
TBS_MARSHALLING(TPM2B_NV_PUBLIC);
TBS_MARSHALLING(TPM2B_PUBLIC);
TBS_MARSHALLING(TPM2B_SENSITIVE);
TBS_MARSHALLING(TPM2B_SENSITIVE_CREATE);
TBS_MARSHALLING(TPML_CCA);
TBS_MARSHALLING(TPML_DIGEST);
TBS_MARSHALLING(TPML_PCR_SELECTION);
TBS_MARSHALLING(TPMS_AUTH_COMMAND);
TBS_MARSHALLING(TPMS_CAPABILITY_DATA);
TBS_MARSHALLING(TPMS_CLOCK_INFO);
TBS_MARSHALLING(TPMS_CONTEXT);
TBS_MARSHALLING(TPMS_TIME_INFO);
TBS_MARSHALLING(TPMT_PUBLIC);
TBS_MARSHALLING(TPMT_TK_HASHCHECK);
#undef TBS_MARSHALLING

// The bytes of a structure. Empty when it states a size or selector that it cannot have, which is a
// fault of the caller's.
template <typename Structure>
proto::Buffer marshal(const Structure& structure) {
  // No structure is longer in its marshalled form: that has the same numbers and no padding.
  proto::Buffer bytes(sizeof(Structure));
  std::size_t size = 0;
  if (Marshalling<Structure>::kTo(&structure, bytes.data(), bytes.size(), &size) !=
      TSS2_RC_SUCCESS) {
    return {};
  }
  bytes.resize(size);
  return bytes;
}

// Takes a structure off the front of `bytes`. Empty, with `bytes` as they were, when there is none
// or a list or buffer in it is longer than tpm2-tss has room for.
template <typename Structure>
std::optional<Structure> take(proto::Bytes& bytes) {
  if (bytes.empty()) return std::nullopt;
  Structure structure{};
  std::size_t size = 0;
  if (Marshalling<Structure>::kOf(bytes.data(), bytes.size(), &size, &structure) !=
      TSS2_RC_SUCCESS) {
    return std::nullopt;
  }
  bytes = bytes.subspan(size);
  return structure;
}

// A structure and perhaps bytes behind it, which nobody wants.
template <typename Structure>
std::optional<Structure> unmarshal(proto::Bytes bytes) {
  return take<Structure>(bytes);
}

// A TPM2B with these bytes. Empty when they are more than it has room for.
template <typename Sized>
std::optional<Sized> sized(proto::Bytes bytes) {
  Sized structure{};
  const std::span<std::uint8_t> room(
      reinterpret_cast<std::uint8_t*>(&structure) + sizeof(structure.size),
      sizeof(structure) - sizeof(structure.size));
  if (bytes.size() > room.size()) return std::nullopt;
  structure.size = static_cast<std::uint16_t>(bytes.size());
  std::ranges::copy(bytes, room.begin());
  return structure;
}

// TPMS_AUTH_COMMAND of a password.
proto::Buffer password_authorization(proto::Bytes password = {});

}  // namespace tbs::tpm
