// The TCTI module, each call and each allocation of which fails in turn: tcti_sweep faults.txt,
// with the daemon's socket in TBS_SOCKET.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tss2/tss2_tcti.h>

#include "client/tcti/tss2_tcti_tbs.h"
#include "tests/sweep/in_process.h"

using tbs::sweep::Step;
using tbs::sweep::Steps;

namespace {

constexpr std::array<std::uint8_t, 12> kGetRandom = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 16};
constexpr std::uint32_t kWrongAnswer = 1;  // no code of this layer
// The module's own response in the place of one that it cannot get.
constexpr std::uint32_t kErrorResponse = TSS2_TCTI_RC_IO_ERROR;

std::uint32_t receive(TSS2_TCTI_CONTEXT* context) {
  constexpr std::array<std::uint8_t, 12> kBegins = {0x80, 1, 0, 0, 0, 28, 0, 0, 0, 0, 0, 16};
  std::array<std::uint8_t, 64> response{};
  std::size_t size = response.size();
  const TSS2_RC code = Tss2_Tcti_Receive(context, &size, response.data(), TSS2_TCTI_TIMEOUT_BLOCK);
  if (code != TSS2_RC_SUCCESS) return code;
  if (size == 10 && response[8] + response[9] != 0) return kErrorResponse;
  const bool right = size == 28 && std::ranges::equal(kBegins, std::span(response).first(12));
  return right ? TSS2_RC_SUCCESS : kWrongAnswer;
}

void use(Steps& step, TSS2_TCTI_CONTEXT* context) {
  step("GetPollHandles", [&] {
    TSS2_TCTI_POLL_HANDLE handle{};
    std::size_t count = 1;
    return Tss2_Tcti_GetPollHandles(context, &handle, &count);
  });
  step("SetLocality", [&] { return Tss2_Tcti_SetLocality(context, 0); });
  for (int round = 0; round < 2; ++round) {
    const bool sent = step("Transmit", [&] {
                        return Tss2_Tcti_Transmit(context, kGetRandom.size(), kGetRandom.data());
                      }) == TSS2_RC_SUCCESS;
    step("Receive",
         [&]() -> std::uint32_t { return sent ? receive(context) : TSS2_TCTI_RC_BAD_SEQUENCE; });
  }
  step("MakeSticky", [&] {
    TPM2_HANDLE handle = 0x80FFFFFF;  // there is none
    return Tss2_Tcti_MakeSticky(context, &handle, 1);
  });
}

std::vector<Step> session() {
  Steps step;
  std::size_t size = 0;
  Tss2_Tcti_Tbs_Init(nullptr, &size, nullptr);
  std::vector<std::uint64_t> memory(size / sizeof(std::uint64_t) + 1);
  auto* const context = reinterpret_cast<TSS2_TCTI_CONTEXT*>(memory.data());
  const std::uint32_t made =
      step("Tss2_Tcti_Tbs_Init", [&] { return Tss2_Tcti_Tbs_Init(context, &size, nullptr); });
  if (made != TSS2_RC_SUCCESS) return step.all();
  use(step, context);
  step("Finalize", [&] {
    Tss2_Tcti_Finalize(context);
    return TSS2_RC_SUCCESS;
  });
  return step.all();
}

constexpr std::array<TSS2_RC, 7> kFailures = {
    TSS2_TCTI_RC_IO_ERROR,        TSS2_TCTI_RC_NO_CONNECTION, TSS2_TCTI_RC_MEMORY,
    TSS2_TCTI_RC_GENERAL_FAILURE, TSS2_TCTI_RC_BAD_SEQUENCE,  TSS2_TCTI_RC_TRY_AGAIN,
    TSS2_TCTI_RC_NOT_PERMITTED};

}  // namespace

int main(int count, char** values) {
  return tbs::sweep::sweep(
      count, values,
      {.run = session,
       .may_fail_so =
           [](const Step& step) {
             return std::ranges::find(kFailures, step.code) != kFailures.end();
           },
       .is_out_of_memory =
           [](std::uint32_t code) { return code == TSS2_TCTI_RC_MEMORY || code == kErrorResponse; },
       .name_of =
           [](std::uint32_t code) { return std::to_string(code & 0xFFFFU) + " of the TCTI"; }});
}
