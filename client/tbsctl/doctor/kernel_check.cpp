#include "client/tbsctl/doctor/kernel_check.h"

#include <algorithm>
#include <charconv>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::uint32_t kOldChip = 1;
constexpr std::uint32_t kNewChip = 2;
constexpr KernelVersion kCancelWaits{5, 1};
constexpr std::uint32_t kWriteByGroup = 0020;

Finding kernel_finding(Severity severity, std::string what, std::string_view why = {},
                       std::string_view remedy = {}) {
  return {severity, "kernel", std::move(what), std::string(why), std::string(remedy)};
}

bool cancels(const KernelFacts& facts) {
  const auto version = kernel_version(facts.release);
  return facts.family == kOldChip && version && *version < kCancelWaits;
}

}  // namespace

const std::array<KernelNote, 5> kKernelNotes = {{
    {"no cancel",
     {0, 0},
     [](const KernelFacts& facts) { return facts.family != 0 && !cancels(facts); },
     Severity::Note,
     "the kernel has no way to cancel a command that the TPM works on",
     "a cancelled one goes on to its end, and others wait for it; its client is answered at once",
     ""},
    {"cancel attribute",
     {0, 0},
     [](const KernelFacts& facts) {
       return cancels(facts) && facts.cancel_mode && (*facts.cancel_mode & kWriteByGroup) == 0;
     },
     Severity::Warning,
     "the attribute `cancel` of the TPM is root's alone",
     "tbsd cannot cancel what the TPM works on, though this kernel can",
     "install the udev rule 70-tbs.rules, then udevadm trigger --subsystem-match=tpm"},
    {"HMAC sessions",
     {6, 10},
     [](const KernelFacts& facts) { return facts.hmac_sessions; },
     Severity::Note,
     "the kernel uses HMAC sessions with the TPM (TCG_TPM2_HMAC)",
     "each of its PCR extends and random numbers needs an object and a session slot: with full "
     "slots IMA's measurements can fail",
     "leave `share` of tbsd.conf at idle, strict or auto, not exclusive"},
    {"30 s for a key",
     {6, 18},
     [](const KernelFacts& facts) { return facts.family == kNewChip; },
     Severity::Note,
     "some kernels from 6.18 on give up the making of a key after 30 s",
     "a slow chip can need longer for an RSA key: it fails with ETIME, and the chip goes on "
     "working",
     "prefer elliptic-curve keys, or take a kernel with 300 s again"},
    {"stale presence",
     {6, 18},
     [](const KernelFacts& facts) { return facts.presence; },
     Severity::Note,
     "kernels from 6.18 on remember what the firmware's presence interface once said",
     "`tbsctl ppi` can be out of date",
     "after a change in the firmware's setup, restart the machine before you believe it"},
}};

std::optional<KernelVersion> kernel_version(std::string_view release) {
  KernelVersion version;
  const auto first = std::from_chars(release.begin(), release.end(), version.major);
  if (first.ec != std::errc{} || first.ptr == release.end() || *first.ptr != '.') {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, release.end(), version.minor);
  if (second.ec != std::errc{}) return std::nullopt;
  return version;
}

Findings check_kernel(const KernelFacts& facts) {
  if (!facts.has_tpm) {
    return {kernel_finding(Severity::Fine, "Linux " + printable(facts.release) +
                                               ", which has no TPM of its own here")};
  }
  const auto version = kernel_version(facts.release);
  Findings findings;
  for (const KernelNote& note : kKernelNotes) {
    const bool late_enough = note.from == KernelVersion{} || (version && *version >= note.from);
    if (!late_enough || !note.concerns(facts)) continue;
    findings.push_back(
        kernel_finding(note.severity, std::string(note.what), note.why, note.remedy));
  }
  const std::string_view family = facts.family == 0          ? "a TPM"
                                  : facts.family == kOldChip ? "a TPM 1.2"
                                                             : "a TPM 2.0";
  findings.insert(findings.begin(),
                  kernel_finding(Severity::Fine, "Linux " + printable(facts.release) + " with " +
                                                     std::string(family)));
  return findings;
}

}  // namespace tbs::ctl
