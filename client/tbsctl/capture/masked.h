#pragma once

#include <cstdint>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// The command, or the response to a command of this code, with zeros in place of authorization
// values, keys, plain data and whatever else a log must not hold. Sizes stay, so that it can still
// be taken apart.
proto::Buffer masked_command(proto::Bytes command);
proto::Buffer masked_response(proto::Bytes response, std::uint32_t command_code);

}  // namespace tbs::ctl
