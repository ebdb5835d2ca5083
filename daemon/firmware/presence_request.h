#pragma once

// A call of the firmware's physical presence interface, taken apart. Source: TCG PC Client Platform
// Physical Presence Interface Specification 1.30, "ACPI Functions"; on Windows the same bytes go to
// Tbsi_Physical_Presence_Command. No I/O.

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::firmware {

enum class PresenceFunction : std::uint32_t {
  Version = 1,
  Submit = 2,
  Pending = 3,
  Transition = 4,
  Response = 5,
  SubmitWithParameter = 7,
  Confirmation = 8,
};

struct PresenceRequest {
  PresenceFunction function = PresenceFunction::Version;
  std::uint32_t operation = 0;  // of Submit and Confirmation
  std::optional<std::uint32_t> parameter;

  // Asks the firmware to do something at the next boot.
  [[nodiscard]] bool submits() const {
    return function == PresenceFunction::Submit ||
           function == PresenceFunction::SubmitWithParameter;
  }
};

// PpiFunctionUnsupported for a number that is no function here; BadParameter for arguments that the
// function does not take.
std::expected<PresenceRequest, proto::Status> parse_presence(proto::Bytes input);

// What a function returns: integers one after the other, little-endian.
proto::Buffer presence_integers(std::initializer_list<std::uint32_t> values);

}  // namespace tbs::firmware
