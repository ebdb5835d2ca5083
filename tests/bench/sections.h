#pragma once

// The measurements. Each starts and stops its own servers.

#include "tests/bench/report.h"
#include "tests/bench/setup.h"

namespace tbs::bench {

// GetRandom(16) by 1, 8 and 64 clients: straight to swtpm, and through tbsd.
Section measure_round_trips(const Setup& setup);
// Each interface beside libtbs, in pairs: C++, TCTI, the drop-in, a bridge, the node.
Section measure_interfaces(const Setup& setup);
// From Tbsip_Cancel_Commands until the cancelled Submit returns.
Section measure_cancel(const Setup& setup);
// From the start of the daemon to the first response, and its memory.
Section measure_daemon(const Setup& setup);
// 10 to 10,000 contexts with keys: memory of the daemon, and what it takes to connect and to work.
Section measure_scale(const Setup& setup);
// What it costs that clients outlive a restart, and how long one takes.
Section measure_restart(const Setup& setup);
// What it costs that an administrator captures every command.
Section measure_capture(const Setup& setup);
// A client that never reads, through tpm2-abrmd and through tbsd: memory, and another's waiting.
Section measure_flood(const Setup& setup);
// P-256 keys straight, through tpm2-abrmd and through tbsd: signatures, ReadPublic, many clients.
Section measure_signing(const Setup& setup);
// The same on a TPM slowed down to the timings of real chips.
Section measure_chips(const Setup& setup);

// One client on the kernel's device: straight, by the kernel's resource manager, tpm2-abrmd, tbsd.
// For a machine whose TPM nobody else uses, such as the guest of tests/guest.
Section measure_kernel(const Setup& setup);

}  // namespace tbs::bench
