#pragma once

// What an entry of IMA's list says: fields by the name of its template.

#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// Fields with their sizes in front, as all templates but "ima" have them; nothing when the bytes
// are no such fields up to their end.
std::optional<std::vector<proto::Bytes>> template_fields(proto::Bytes data);

// "/usr/bin/true sha256:0123..., signed"; of an unknown template what can be told of it.
Description describe_template(std::string_view name, proto::Bytes data);

// "ima" has a digest of 20 bytes and a name; the kernel hashes the name with zeros up to 256 bytes.
std::optional<proto::Buffer> hashed_of_old_template(proto::Bytes data);

}  // namespace tbs::ctl
