#pragma once

// Where systemd has its NvPCRs, and how it says so: each one that it makes has a record in PCR 9.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/tbsctl/log/later_log.h"

namespace tbs::ctl {

bool is_nv_index(std::uint64_t number);

// The index of an NvPCR that systemd has assigned to its name.
std::optional<std::uint32_t> assigned_nvpcr(std::string_view name);

// "nvpcr-init:NAME:0xINDEX:ALGORITHM:VALUE" says what the NvPCR holds from then on: systemd 259
// begins it with a secret. Later versions begin with zeros, and have the TPM's name of the index at
// the end.
struct NvPcrInit {
  std::string name;
  std::uint32_t number = 0;
  std::optional<NvPcrStart> start;
};

// What the string of a record says; nothing when it is about something else.
std::optional<NvPcrInit> read_nvpcr_init(std::string_view text);

}  // namespace tbs::ctl
