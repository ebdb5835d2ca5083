#pragma once

// Text from outside that is printed as it is, without what could steer a terminal.

#include <string>
#include <string_view>

namespace tbs::ctl {

// Keeps UTF-8, so that names of files can be read. Control characters (also those above ASCII),
// line separators, marks that turn the direction of writing, and bytes that are no UTF-8 become
// '?'. For columns of a table there is printable() (format.h), whose characters are one column wide
// each.
std::string terminal_text(std::string_view text);

}  // namespace tbs::ctl
