// The functions of tbsx.h.

#include <chrono>
#include <string_view>

#include "client/boundary.h"
#include "client/command_check.h"
#include "client/contexts.h"
#include "client/include/tbs/tbsx.h"
#include "client/socket_path.h"
#include "client/submission.h"

using namespace tbs::client;
using tbs::proto::Status;

namespace {

constexpr auto kPending = static_cast<Status>(TBSX_E_PENDING);
constexpr auto kTimedOut = static_cast<Status>(TBSX_E_TIMED_OUT);
constexpr auto kNotSupported = static_cast<Status>(TBSX_E_NOT_SUPPORTED);

Deadline deadline_after(INT32 timeout) {
  if (timeout < 0) return std::nullopt;
  return Clock::now() + std::chrono::milliseconds(timeout);
}

Status check_result_buffer(PCBYTE result, PCUINT32 size) {
  if (size == nullptr) return Status::InvalidOutputPointer;
  if (result == nullptr && *size != 0) return Status::InvalidOutputPointer;
  return *size > TBS_IN_OUT_BUF_SIZE_MAX ? Status::BufferTooLarge : Status::Success;
}

}  // namespace

TBS_RESULT Tbsx_Set_Socket(const char* path) {
  return at_boundary([&] {
    if (path != nullptr && !is_socket_path(path)) return Status::BadParameter;
    choose_process_socket(path == nullptr ? "" : path);
    return Status::Success;
  });
}

TBS_RESULT Tbsx_Context_Create(PCTBS_CONTEXT_PARAMS pContextParams, const char* path,
                               PTBS_HCONTEXT phContext) {
  return at_boundary([&] {
    if (path == nullptr) return create_context(pContextParams, {}, phContext);
    if (is_socket_path(path)) return create_context(pContextParams, path, phContext);
    if (phContext != nullptr) *phContext = nullptr;
    return Status::BadParameter;
  });
}

TBS_RESULT Tbsx_Get_Context_Info(TBS_HCONTEXT hContext, TBSX_CONTEXT_INFO* info) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    if (info == nullptr) return Status::InvalidOutputPointer;
    const auto terms = context->terms();
    *info = {.number = terms.context,
             .maxCommand = terms.max_command,
             .maxResponse = terms.max_response};
    return Status::Success;
  });
}

TBS_RESULT Tbsx_Submit_Timeout(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                               TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand, UINT32 cbCommand,
                               PBYTE pabResult, PUINT32 pcbResult, INT32 timeout) {
  return at_boundary([&] {
    return submit_checked(
        hContext, {Locality, Priority, {pabCommand, cbCommand}}, pabResult, pcbResult,
        [&](Context& context, const Command& command, auto room, auto& size) {
          return context.submit_within(command, room, size, deadline_after(timeout))
              .value_or(kTimedOut);
        });
  });
}

TBS_RESULT Tbsx_Submit_Begin(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                             TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand, UINT32 cbCommand,
                             TBSX_REQUEST* request) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    const Command command{Locality, Priority, {pabCommand, cbCommand}};
    const Status fault = check_command(command.bytes, request != nullptr, 0, context->terms());
    if (fault != Status::Success) return fault;
    const auto begun = context->begin(command);
    if (!begun) return begun.error();
    // check_command() has refused null pointers.
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    *request = *begun;
    return Status::Success;
  });
}

TBS_RESULT Tbsx_Submit_Result(TBS_HCONTEXT hContext, TBSX_REQUEST request, PBYTE pabResult,
                              PUINT32 pcbResult, INT32 timeout) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    const Status fault = check_result_buffer(pabResult, pcbResult);
    if (fault != Status::Success) return fault;
    std::size_t size = 0;
    const auto result =
        context->take(request, {pabResult, *pcbResult}, size, deadline_after(timeout));
    if (!result) return kPending;
    if (*result == Status::Success || *result == Status::InsufficientBuffer) {
      *pcbResult = static_cast<UINT32>(size);
    }
    return *result;
  });
}

TBS_RESULT Tbsx_Cancel_Request(TBS_HCONTEXT hContext, TBSX_REQUEST request) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    return context->cancel_begun(request).value_or(kNotSupported);
  });
}

TBS_RESULT Tbsx_Get_Poll_Descriptor(TBS_HCONTEXT hContext, int* fd) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    if (fd == nullptr) return Status::InvalidOutputPointer;
    const int descriptor = context->poll_descriptor();
    if (descriptor < 0) return Status::InternalError;
    *fd = descriptor;
    return Status::Success;
  });
}

TBS_RESULT Tbsx_Get_Cancel_Descriptor(TBS_HCONTEXT hContext, int* fd) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    if (fd == nullptr) return Status::InvalidOutputPointer;
    const int descriptor = context->cancel_descriptor();
    if (descriptor < 0) return Status::InternalError;
    *fd = descriptor;
    return Status::Success;
  });
}

const char* Tbsx_Result_Name(TBS_RESULT result) {
  if (result == TBSX_E_PENDING) return "TBSX_E_PENDING";
  if (result == TBSX_E_TIMED_OUT) return "TBSX_E_TIMED_OUT";
  if (result == TBSX_E_NOT_SUPPORTED) return "TBSX_E_NOT_SUPPORTED";
  return tbs::proto::status_name(static_cast<Status>(result)).data();
}

const char* Tbsx_Result_Text(TBS_RESULT result) {
  if (result == TBSX_E_PENDING) return "the command is not answered yet";
  if (result == TBSX_E_TIMED_OUT) return "the command took too long and was given up";
  if (result == TBSX_E_NOT_SUPPORTED) return "the service is older than libtbs and cannot do that";
  return tbs::proto::status_text(static_cast<Status>(result)).data();
}
