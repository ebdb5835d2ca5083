#pragma once

// What is checked about a command before it is sent, in the order that programs on Windows see: the
// command's pointer and length, the output pointers, the sizes, the command's own header.

#include "client/include/tbs/tbs.h"
#include "proto/byte_reader.h"
#include "proto/message.h"
#include "proto/status.h"

namespace tbs::client {

// Success, or why this cannot be a command. `result` and `size` are the output pointers;
// `capacity` is what the caller says of the output buffer.
proto::Status check_command(proto::Bytes command, bool outputs_given, std::uint32_t capacity,
                            const proto::HelloReply& terms);

}  // namespace tbs::client
