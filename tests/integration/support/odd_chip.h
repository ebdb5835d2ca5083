#pragma once

// What makes a TPM odd, as lies for a LyingTpm (lying_tpm.h): each gives its answer to the commands
// that it is about, and lets the TPM answer the others.

#include <chrono>
#include <cstdint>
#include <vector>

#include "proto/tpm/capability.h"
#include "tests/integration/support/lying_tpm.h"

namespace tbs::test::odd {

// Commands that it is about; empty: all.
using Codes = std::vector<std::uint32_t>;

// A response of this code and no more.
LyingTpm::Lie answers(Codes codes, std::uint32_t response_code);
// The same to all but these.
LyingTpm::Lie answers_all_but(Codes codes, std::uint32_t response_code);
// The same for the first time, the one after the next, and so on. The TPM gets the others.
LyingTpm::Lie answers_every_second(Codes codes, std::uint32_t response_code);
// The same until this time has passed since the first one.
LyingTpm::Lie answers_for(std::chrono::milliseconds time, Codes codes, std::uint32_t response_code);
// Gives this instead of the TPM's response, which the TPM has given.
LyingTpm::Lie spoils(Codes codes, proto::Buffer response);
// Tells these values of TPM_CAP_TPM_PROPERTIES instead of its own.
LyingTpm::Lie tells(std::vector<tbs::tpm::Property> properties);
// Refuses longer commands.
LyingTpm::Lie with_buffers(std::uint32_t size);
// Has room for so many sessions only, and says so.
LyingTpm::Lie with_sessions(std::uint32_t count);

}  // namespace tbs::test::odd
