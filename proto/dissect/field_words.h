#pragma once

// What the values of fields mean, in words: the name that the specification gives, and what it is.

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/byte_reader.h"

namespace tbs::dissect {

// "1 byte", "2 bytes"
std::string count_of(std::uint64_t count, std::string_view what);
// "0x0000017B" with two digits for each byte of the width
std::string hex_number(std::uint64_t value, unsigned width);
// The name, or what the number is and that it is none that is known.
std::string name_or_number(std::string_view name, std::uint64_t number, unsigned width);

// "TPM_RH_OWNER", "PCR 7", "NV index", "HMAC session"
std::string handle_words(std::uint32_t handle);
std::string handle12_words(std::uint32_t handle);
// "TPM2_GetRandom"; the number where nobody knows it.
std::string command_words(std::uint32_t code);

std::string object_attributes(std::uint32_t attributes);
std::string nv_attributes(std::uint32_t attributes);
std::string algorithm_attributes(std::uint32_t attributes);
// What each attribute of a session asks for.
std::string session_attributes(std::uint8_t attributes);
std::string localities(std::uint8_t locality);
// TPMA_CC: the command, and how many handles it has.
std::string command_attributes(std::uint32_t attributes);
// "PCR 0, 7", "no PCR"
std::string pcr_numbers(proto::Bytes bits);
// Of TPM_PT_MANUFACTURER and the like: the four letters, where they are some.
std::string property_value(std::uint32_t property, std::uint32_t value);
// "3 d 4 h", from milliseconds.
std::string milliseconds(std::uint64_t value);

}  // namespace tbs::dissect
