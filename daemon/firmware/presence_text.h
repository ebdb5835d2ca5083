#pragma once

// What the kernel writes into the files of a TPM's folder `ppi`, turned back into the numbers that
// the firmware gave it. Source: the kernel's drivers/char/tpm/tpm_ppi.c and
// Documentation/ABI/testing/sysfs-driver-ppi. No I/O.

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/byte_writer.h"

namespace tbs::firmware {

// `version`, "1.3": the same with a zero byte at its end; empty when it is no version.
proto::Buffer presence_version(std::string_view text);

// `request`, "23 16" or "0": success, the operation, and its parameter if it has one.
std::optional<proto::Buffer> presence_pending(std::string_view text);

// `transition_action`, "2: Reboot".
std::optional<proto::Buffer> presence_transition(std::string_view text);

// `response`, "5 0: Success", "6 0xFFFFFFF0: User Abort" or "0: No Recent Request": success, the
// operation, its result.
std::optional<proto::Buffer> presence_response(std::string_view text);

// `tcg_operations` or `vs_operations`, lines of "5 3: Allowed and physically present user
// required": the number for this operation; 0, not implemented, when it is not listed.
std::uint32_t presence_confirmation(std::string_view text, std::uint32_t operation);

}  // namespace tbs::firmware
