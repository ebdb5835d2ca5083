#pragma once

// The system calls that the embedded TPM's process makes once the TPM is on: it has its socket and
// its folder, and needs neither other programs, other processes, sockets nor threads.

#include <expected>
#include <string>

namespace tbs::device::embedded {

std::expected<void, std::string> enter_sandbox();

}  // namespace tbs::device::embedded
