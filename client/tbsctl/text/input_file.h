#pragma once

// Files that a user names. Whatever is wrong with one is told in a sentence.

#include <expected>
#include <string>

#include "client/tbsctl/text/failure.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// All of a file of at most `most` bytes; none is right as well. Not for folders.
std::expected<proto::Buffer, Failure> read_input_file(const std::string& path, std::size_t most);
// The same for standard input.
std::expected<proto::Buffer, Failure> read_standard_input(std::size_t most);

// Why a folder cannot be read, if it cannot.
std::expected<void, Failure> check_folder(const std::string& path);

}  // namespace tbs::ctl
