#pragma once

// What the kernel that runs is known for; docs/kernel.md has the same table.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/tbsctl/doctor/finding.h"

namespace tbs::ctl {

struct KernelVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

struct KernelFacts {
  std::string release;       // as uname(2) gives it
  bool has_tpm = false;      // a chip that its driver has found
  std::uint32_t family = 0;  // 1: TPM 1.2, 2: TPM 2.0; 0: it does not say
  bool hmac_sessions = false;
  bool presence = false;                     // the firmware's physical presence interface
  std::optional<std::uint32_t> cancel_mode;  // of the attribute, where there is one
};

// `root` is before /sys.
KernelFacts kernel_facts(const std::string& root);

// Of "6.1.0-18-amd64"; nothing when it does not begin with two numbers.
std::optional<KernelVersion> kernel_version(std::string_view release);

// What is true of kernels from one version on, where the chip fits.
struct KernelNote {
  std::string_view id;  // by which docs/kernel.md has it, too
  KernelVersion from;
  bool (*concerns)(const KernelFacts& facts);
  Severity severity;
  std::string_view what;
  std::string_view why;
  std::string_view remedy;
};
extern const std::array<KernelNote, 5> kKernelNotes;

Findings check_kernel(const KernelFacts& facts);

}  // namespace tbs::ctl
