// libtbs, each call and each allocation of which fails in turn: libtbs_sweep faults.txt, with the
// daemon's socket in TBS_SOCKET.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "client/include/tbs/tbs.h"
#include "client/include/tbs/tbsx.h"
#include "tests/sweep/in_process.h"

using tbs::sweep::Step;
using tbs::sweep::Steps;

namespace {

constexpr std::array<BYTE, 12> kGetRandom = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 16};
constexpr UINT32 kRandomSize = 10 + 2 + 16;
constexpr UINT32 kWrongAnswer = 1;  // no return code

// The answer of GetRandom, or another code than success.
UINT32 checked(UINT32 code, const std::array<BYTE, 64>& response, UINT32 size) {
  if (code != TBS_SUCCESS) return code;
  constexpr std::array<BYTE, 12> kBegins = {0x80, 1, 0, 0, 0, kRandomSize, 0, 0, 0, 0, 0, 16};
  const bool right =
      size == kRandomSize && std::ranges::equal(kBegins, std::span(response).first(12));
  return right ? TBS_SUCCESS : kWrongAnswer;
}

void use(Steps& step, TBS_HCONTEXT context) {
  std::array<BYTE, 64> response{};
  UINT32 size = response.size();
  step("Tbsip_Submit_Command", [&] {
    return checked(Tbsip_Submit_Command(context, 0, TBS_COMMAND_PRIORITY_NORMAL, kGetRandom.data(),
                                        kGetRandom.size(), response.data(), &size),
                   response, size);
  });
  size = response.size();
  step("Tbsx_Submit_Timeout", [&] {
    return checked(Tbsx_Submit_Timeout(context, 0, TBS_COMMAND_PRIORITY_NORMAL, kGetRandom.data(),
                                       kGetRandom.size(), response.data(), &size, -1),
                   response, size);
  });
  int descriptor = -1;
  step("Tbsx_Get_Poll_Descriptor", [&] { return Tbsx_Get_Poll_Descriptor(context, &descriptor); });
  step("Tbsx_Get_Cancel_Descriptor",
       [&] { return Tbsx_Get_Cancel_Descriptor(context, &descriptor); });
  TBSX_REQUEST request = 0;
  const bool begun = step("Tbsx_Submit_Begin", [&] {
                       return Tbsx_Submit_Begin(context, 0, TBS_COMMAND_PRIORITY_NORMAL,
                                                kGetRandom.data(), kGetRandom.size(), &request);
                     }) == TBS_SUCCESS;
  size = response.size();
  step("Tbsx_Submit_Result", [&]() -> UINT32 {
    if (!begun) return TBS_E_INTERNAL_ERROR;
    return checked(Tbsx_Submit_Result(context, request, response.data(), &size, -1), response,
                   size);
  });
  step("Tbsip_Cancel_Commands", [&] { return Tbsip_Cancel_Commands(context); });
}

std::vector<Step> session() {
  Steps step;
  TPM_DEVICE_INFO info{};
  step("Tbsi_GetDeviceInfo", [&]() -> UINT32 {
    const UINT32 code = Tbsi_GetDeviceInfo(sizeof info, &info);
    return code == TBS_SUCCESS && info.tpmVersion != TPM_VERSION_20 ? kWrongAnswer : code;
  });
  std::array<BYTE, 64> id{};
  UINT32 size = id.size();
  step("GetDeviceID", [&] { return GetDeviceID(id.data(), id.size(), &size, nullptr); });
  step("Tbsi_Revoke_Attestation", [] { return Tbsi_Revoke_Attestation(); });
  size = 0;
  step("Tbsi_Get_TCG_Log_Ex", [&] { return Tbsi_Get_TCG_Log_Ex(0, nullptr, &size); });
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 4};
  TBS_HCONTEXT context = nullptr;
  step("Tbsi_Context_Create", [&] {
    return Tbsi_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params), &context);
  });
  if (context == nullptr) return step.all();
  use(step, context);
  const UINT32 closed = step("Tbsip_Context_Close", [&] { return Tbsip_Context_Close(context); });
  // For want of memory it may stay open, and can be closed later.
  if (closed == TBS_E_INTERNAL_ERROR) Tbsip_Context_Close(context);
  return step.all();
}

constexpr std::array<UINT32, 8> kFailures = {TBS_E_INTERNAL_ERROR,      TBS_E_IOERROR,
                                             TBS_E_SERVICE_NOT_RUNNING, TBS_E_SERVICE_START_PENDING,
                                             TBS_E_ACCESS_DENIED,       TBS_E_COMMAND_CANCELED};

}  // namespace

int main(int count, char** values) {
  return tbs::sweep::sweep(
      count, values,
      {.run = session,
       .may_fail_so =
           [](const Step& step) {
             return std::ranges::find(kFailures, step.code) != kFailures.end() &&
                    step.code != TBS_SUCCESS;
           },
       .is_out_of_memory = [](UINT32 code) { return code == TBS_E_INTERNAL_ERROR; },
       .name_of = [](UINT32 code) { return std::string(Tbsx_Result_Name(code)); }});
}
