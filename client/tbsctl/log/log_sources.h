#pragma once

// Where logs come from besides the daemon: files that a user named, and where this system keeps
// them.

#include <cstdint>
#include <expected>
#include <string>

#include "client/tbsctl/text/failure.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// "-" is standard input. An empty file is no log.
std::expected<proto::Buffer, Failure> log_of_file(const std::string& path);

// "auto" is where the kernel and systemd keep theirs.
std::expected<proto::Buffer, Failure> ima_list_of(const std::string& path);
std::expected<proto::Buffer, Failure> measure_log_of(const std::string& path);

// What a file that was named holds, by how it begins.
enum class LogKind : std::uint8_t { Firmware, Ima, Systemd };
LogKind kind_of_log(proto::Bytes bytes);

}  // namespace tbs::ctl
