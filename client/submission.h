#pragma once

// What the functions that send a command and wait for its response have in common: the checks, and
// what comes of the size of the output buffer.

#include <cstddef>
#include <cstdint>
#include <span>

#include "client/command_check.h"
#include "client/contexts.h"

namespace tbs::client {

// `submit` takes the context, the command, where the response goes and its size, and returns the
// status.
template <typename Submit>
proto::Status submit_checked(TBS_HCONTEXT handle, const Command& command, PBYTE result,
                             PUINT32 result_size, const Submit& submit) {
  const auto context = find_context(handle);
  if (!context) return proto::Status::InvalidContext;
  const bool outputs_given = result != nullptr && result_size != nullptr;
  const proto::Status fault = check_command(command.bytes, outputs_given,
                                            outputs_given ? *result_size : 0, context->terms());
  if (fault != proto::Status::Success) return fault;
  std::size_t size = 0;
  // check_command() has refused null pointers.
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
  const std::span<std::uint8_t> room{result, *result_size};
  const proto::Status status = submit(*context, command, room, size);
  if (status == proto::Status::Success || status == proto::Status::InsufficientBuffer) {
    *result_size = static_cast<UINT32>(size);
  }
  return status;
}

}  // namespace tbs::client
