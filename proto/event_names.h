#pragma once

// The events that tbsd writes to the journal with fields of their own, by the name and the message
// id (sd-id128(3), `journalctl MESSAGE_ID=...`) under which they can be found. docs/events.md lists
// them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tbs::proto {

enum class Event : std::uint32_t {
  Connected,          // a context was opened
  Refused,            // a connection was closed
  Admission,          // no context for this user
  Cancelled,          // a context was cancelled from outside
  Blocked,            // a command that the rules block, or would
  Lockout,            // a user is locked out, or was
  StateChanged,       // the TPM's state was changed for everybody
  Backlog,            // a user's connections are held up
  Descriptors,        // no connection could be taken
  Memory,             // a request failed for want of memory
  Revoked,            // the attestation was revoked
  PresenceRequested,  // the firmware was asked to do something at the next start
  OwnerAuthRead,      // the owner's authorization was asked for
  Denied,             // a request that is for administrators only
  DeviceLost,         // the TPM cannot be used
  DeviceReady,        // it can, now or again
  WentOn,             // the daemon took over from the one before it
  PcrChanged,         // a client extended or reset a PCR
  NvWritten,          // a client wrote an NV index
  Capture,            // an administrator captures commands
  Maintenance,        // an administrator's program has the TPM alone, or no longer
};

struct EventName {
  Event event;
  std::string_view name;
  std::string_view message_id;
};

inline constexpr std::array kEventNames = {
    EventName{Event::Connected, "connected", "9f6d2c8c7f995420a8e20d69a9bfc218"},
    EventName{Event::Refused, "refused", "54139b512b925d95ab7a73b7c5e9df95"},
    EventName{Event::Admission, "no-context", "5c78327e4e535d56b4cf543e6696a9a4"},
    EventName{Event::Cancelled, "cancelled", "fd9a7500f72b5e3db5ae583ea3664474"},
    EventName{Event::Blocked, "blocked", "e351ae9b3e5954c7bab83463b56946d2"},
    EventName{Event::Lockout, "lockout", "b4eb245ddd575325ad769113d30a01f0"},
    EventName{Event::StateChanged, "state-changed", "a861755a75455ac2a4148ec330151acf"},
    EventName{Event::Backlog, "backlog", "0da94d48063658ba817e36e7958ae543"},
    EventName{Event::Descriptors, "descriptors", "8cca43b8ab8450dcb2a7b238bf05b75c"},
    EventName{Event::Memory, "memory", "be94ec4165865e939f7c3b14ce615313"},
    EventName{Event::Revoked, "attestation-revoked", "a49adeed13b0435b9a91c53fced10dc2"},
    EventName{Event::PresenceRequested, "physical-presence", "e0be5f7caf364f3fb4085a80fde4c172"},
    EventName{Event::OwnerAuthRead, "owner-auth", "d05e6e2905c54f20b4c2e313012588e5"},
    EventName{Event::Denied, "denied", "69760ed7e7c04d2387aaaf9763ecc8c4"},
    EventName{Event::DeviceLost, "device-lost", "a3152edef7e848038608dd528c0faf0e"},
    EventName{Event::DeviceReady, "device-ready", "0ff328bf6eea44c99b3d7519a46167e9"},
    EventName{Event::WentOn, "went-on", "28c41ee47e8a41d5a6b50f5c3bd49b47"},
    EventName{Event::PcrChanged, "pcr-changed", "65e94aa04d024c02b84293459f812561"},
    EventName{Event::NvWritten, "nv-written", "367f32420d974ee591b5f58d8f68b6b5"},
    EventName{Event::Capture, "capture", "8d2f9c55a1c94d7c9c1f0e63b2f7a4d1"},
    EventName{Event::Maintenance, "maintenance", "c4be07a9d15f4e31a6d2f3897b0e52c8"},
};

constexpr const EventName& name_of(Event event) {
  return kEventNames[static_cast<std::size_t>(event)];
}

}  // namespace tbs::proto
