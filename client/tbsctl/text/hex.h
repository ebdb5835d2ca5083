#pragma once

// Bytes as hexadecimal text. Reading is tolerant of how people and tools write them: white space,
// colons, commas and a 0x before a group are skipped; each group must hold whole bytes.

#include <expected>
#include <string>
#include <string_view>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// The bytes, or a sentence that says what is wrong and where.
std::expected<proto::Buffer, std::string> parse_hex(std::string_view text);

// Two lower-case digits for each byte, nothing between them.
std::string to_hex(proto::Bytes bytes);

}  // namespace tbs::ctl
