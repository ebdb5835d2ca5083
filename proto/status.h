#pragma once

// TBS return codes as they travel on the wire and leave the C API: numbers, names and texts.
// Source: Microsoft, "TBS Return Codes" (facility 0x28 of winerror.h).

#include <cstdint>
#include <string_view>

namespace tbs::proto {

enum class Status : std::uint32_t {
  Success = 0,
  InternalError = 0x80284001,
  BadParameter = 0x80284002,
  InvalidOutputPointer = 0x80284003,
  InvalidContext = 0x80284004,
  InsufficientBuffer = 0x80284005,
  IoError = 0x80284006,
  InvalidContextParam = 0x80284007,
  ServiceNotRunning = 0x80284008,
  TooManyContexts = 0x80284009,
  TooManyResources = 0x8028400A,
  ServiceStartPending = 0x8028400B,
  PpiNotSupported = 0x8028400C,
  CommandCanceled = 0x8028400D,
  BufferTooLarge = 0x8028400E,
  TpmNotFound = 0x8028400F,
  ServiceDisabled = 0x80284010,
  NoEventLog = 0x80284011,
  AccessDenied = 0x80284012,
  ProvisioningNotAllowed = 0x80284013,
  PpiFunctionUnsupported = 0x80284014,
  OwnerAuthNotFound = 0x80284015,
  ProvisioningIncomplete = 0x80284016,
};

// "TBS_E_COMMAND_CANCELED"; "TBS_E_UNKNOWN" for a number that is none of them.
std::string_view status_name(Status status);
// One line for people: "the command was cancelled".
std::string_view status_text(Status status);

}  // namespace tbs::proto
