#pragma once

// What `--device` may say, taken apart. No I/O: whether the device exists is found out by opening
// it.
//
//   /dev/tpm0                     a character device of the kernel
//   auto                          the kernel's TPM, whatever its number; a TPM 2.0 if it has both
//   embedded, embedded:DIR        a software TPM of our own; without DIR its state is thrown away
//   embedded12, embedded12:DIR    the same as a TPM 1.2
//   swtpm:path=P[,ctrl=C]         a running swtpm on Unix sockets; C is P.ctrl unless given
//   swtpm:host=H,port=N[,ctrl=M]  the same on TCP; M is N+1 unless given

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/build_features.h"
#include "daemon/device/transceiver.h"

namespace tbs::device {

struct CharSpec {
  std::string path;  // empty: whatever the kernel has
};

struct EmbeddedSpec {
  std::string state_dir;  // empty: a private folder that is removed at the end
  Family family = Family::Tpm20;
  // Not part of the text.
  std::string tenant;       // whose own it is
  bool keep_state = false;  // over a stop of the daemon
};

struct SwtpmUnixSpec {
  std::string data_path;
  std::string control_path;
};

struct SwtpmTcpSpec {
  std::string host;
  std::uint16_t data_port = 0;
  std::uint16_t control_port = 0;
};

using DeviceSpec = std::variant<CharSpec, EmbeddedSpec, SwtpmUnixSpec, SwtpmTcpSpec>;

// The error is a text for the administrator that names what is wrong with `text`.
std::expected<DeviceSpec, std::string> parse_device_spec(std::string_view text);

// The same for a device that this build can open, which not every build can for each kind.
std::expected<DeviceSpec, std::string> parse_usable_device(std::string_view text,
                                                           bool has_embedded = kHasEmbeddedTpm);

}  // namespace tbs::device
