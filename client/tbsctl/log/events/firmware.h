#pragma once

// What firmware measures of itself and of the images it starts. Nothing where the data is not what
// the type of its event calls for.

#include <optional>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// EV_S_CRTM_VERSION: a text, in UTF-16 as a rule, or a GUID.
std::optional<Description> describe_version(proto::Bytes bytes);

// EV_POST_CODE: a text ("POST CODE") or where the code is.
std::optional<Description> describe_post_code(proto::Bytes bytes);

// EV_SEPARATOR: zeros or ones, as a rule; 1 after an error.
std::optional<Description> describe_separator(proto::Bytes bytes);

// UEFI_PLATFORM_FIRMWARE_BLOB, after the description that the second layout starts with.
std::optional<Description> describe_blob(proto::Bytes bytes, bool described);

// UEFI_HANDOFF_TABLE_POINTERS, and the second layout.
std::optional<Description> describe_tables(proto::Bytes bytes, bool described);

// UEFI_IMAGE_LOAD_EVENT.
std::optional<Description> describe_image(proto::Bytes bytes);

}  // namespace tbs::ctl
