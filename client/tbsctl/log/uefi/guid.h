#pragma once

// GUIDs of UEFI, and the names of those that are publicly known.

#include <string>
#include <string_view>

#include "proto/byte_reader.h"

namespace tbs::ctl {

// "8be4df61-93ca-11d2-aa0d-00e098032b8c"; the reader fails where there are no 16 bytes.
std::string read_guid(proto::ByteReader& reader);

// What it stands for: an owner of signatures, a kind of signature, a type of partition, a table.
// Empty for one that is not known here.
std::string_view guid_name(std::string_view guid);

// Its name, else itself.
std::string named_guid(const std::string& guid);

}  // namespace tbs::ctl
