#pragma once

// The TPM command that `tbsctl submit` sends: from the command line in hexadecimal, or from a file
// or standard input, in hexadecimal or as the bytes themselves. The two are told apart by the first
// byte: it is 0x80 or 0x00 in every TPM command, and neither is a character of hexadecimal text.

#include <expected>
#include <string>

#include "client/tbsctl/text/failure.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// Each fails unless the bytes are one whole TPM command: a header whose size is that of all.
std::expected<proto::Buffer, Failure> command_from_hex(const std::string& text);
// "-" is standard input.
std::expected<proto::Buffer, Failure> command_from_file(const std::string& path);

}  // namespace tbs::ctl
