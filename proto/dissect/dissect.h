#pragma once

// Takes commands and responses of both families apart, field by field. Whatever the bytes are, all
// of them are in the result, and nothing is read behind them.

#include <cstdint>

#include "proto/byte_reader.h"
#include "proto/dissect/dissection.h"

namespace tbs::dissect {

// The tag says of which family it is; TPM 2.0 when it is a tag of neither.
Dissection::Family family_of(proto::Bytes message);

Dissection dissect_command(proto::Bytes command);

// What is in a response depends on the command. With 0, which is the code of none, only the header
// is understood, and what follows counts as secret.
Dissection dissect_response(proto::Bytes response, std::uint32_t command_code);

}  // namespace tbs::dissect
