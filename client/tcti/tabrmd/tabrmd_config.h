#pragma once

// The configuration that programs give to the module of tpm2-abrmd. There is no bus here, so what
// says which is read and left aside:
//
//   bus_name=NAME,bus_type=system|session     as tpm2-abrmd takes it; or one of them
//   socket=/path,priority=high                as in tcti_config.h, also beside the others

#include <expected>
#include <string>
#include <string_view>

#include "client/tcti/tcti_config.h"

namespace tbs::tcti {

std::expected<Config, std::string> parse_tabrmd_config(std::string_view text);

}  // namespace tbs::tcti
