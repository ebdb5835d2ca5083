#include "client/tbsctl/tpm/command_name.h"

#include "client/tbsctl/text/format.h"
#include "proto/command_names.h"

namespace tbs::ctl {

std::string command_name(std::uint32_t code) {
  const std::string_view name = proto::command_name(code);
  return name.empty() ? hex32(code) : std::string(name);
}

}  // namespace tbs::ctl
