#pragma once

// A file that other programs read while it is replaced: they find the old one or the new one, and
// never a part.

#include <string>
#include <string_view>

#include "client/tbsctl/command_line/subcommand.h"

namespace tbs::ctl {

// Everybody may read it.
Outcome replace_file(const std::string& path, std::string_view text);

}  // namespace tbs::ctl
