#pragma once

// UEFI_VARIABLE_DATA: a variable of the firmware as it was measured.

#include <optional>
#include <string>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

struct UefiVariable {
  std::string vendor;  // the GUID of its namespace
  std::string name;
  proto::Bytes value;  // as much as there is
};

std::optional<UefiVariable> read_variable(proto::Bytes bytes);

// "SecureBoot: on", "db: 2 certificates", "Boot0001: debian: ..."; of an authority, what allowed
// the image. Bytes that are no variable are shown as they are.
Description describe_variable(proto::Bytes bytes, bool authority);

}  // namespace tbs::ctl
