#pragma once

// The firmware's event log, taken apart. Both layouts of the TCG PC Client Platform Firmware
// Profile Specification 1.06, "Event Logging": records of TCG_PCClientPCREvent (SHA-1 alone), and
// TCG_PCR_EVENT2 after a first record "Spec ID Event03" that names the digests (crypto-agile). All
// integers are little-endian.
//
// The log is bytes from outside: nothing in it is believed beyond its end, and records whose sizes
// contradict what is left end the reading.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/byte_reader.h"

namespace tbs::ctl {

// TPM_ALG_ID of a digest, and its size in bytes.
struct DigestKind {
  std::uint16_t algorithm = 0;
  std::uint16_t size = 0;
};

struct EventDigest {
  std::uint16_t algorithm = 0;
  proto::Bytes value;
};

// One record. Points into the log.
struct Event {
  std::uint32_t pcr = 0;
  std::uint32_t type = 0;
  std::vector<EventDigest> digests;
  proto::Bytes data;
};

struct EventLog {
  bool crypto_agile = false;
  std::vector<DigestKind> kinds;
  std::vector<Event> events;  // the first record included
  // The first event of the table of final events, where the log has the head of that table: events
  // that firmware logged after the operating system had fetched the log. The kernel appends these
  // events to the log as a rule without the head.
  std::optional<std::size_t> final_events;
  // Why the log could not be read to its end; empty when it was. Old firmware fills the rest of its
  // memory with zeros or ones, which is no fault.
  std::string fault;
};

EventLog parse_event_log(proto::Bytes bytes);

inline constexpr std::uint32_t kEvNoAction = 3;
inline constexpr std::uint32_t kEvEfiHcrtmEvent = 0x80000010;

// The text that an event of type EV_NO_ACTION starts with ("StartupLocality"); empty when it does
// not start with one. It says how to read the rest.
std::string_view signature_of(const Event& event);

// The locality at which the TPM was started, when that is what the event tells. Firmware may pad
// the event.
std::optional<std::uint8_t> startup_locality(const Event& event);

}  // namespace tbs::ctl
