#pragma once

// Texts, bytes and numbers of a log, ready to be printed: harmless to a terminal, and cut.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/byte_reader.h"

namespace tbs::ctl {

// Harmless, and cut to what fits on a line; ends of lines and tabulators become blanks.
std::string log_text(std::string_view text);

// The first bytes in hex, and how many there are when these are not all.
std::string bytes_text(proto::Bytes data);

// The text that the data is, if it is one: UTF-8 without control characters, but for zeros at its
// end.
std::optional<std::string> plain_text(proto::Bytes data);

// Whether bytes are likelier UTF-16 than another text: those of others make characters far from
// ASCII.
bool is_wide(proto::Bytes data);

// The same as plain_text() for UTF-16.
std::optional<std::string> utf16_text(proto::Bytes data);

// UTF-16 up to its first zero, whatever it is: what is no character becomes U+FFFD.
std::string utf16(proto::Bytes data);

// "0x1f"
std::string hex_number(std::uint64_t number);

// "1 certificate", "3 certificates"
std::string counted(std::size_t count, std::string_view what);

// "512 MiB", "1.5 GiB"
std::string size_text(std::uint64_t bytes);

}  // namespace tbs::ctl
