#pragma once

// Text from outside that is printed or logged, without what could steer a terminal: the daemon's
// log, and what tbsctl prints.

#include <string>
#include <string_view>

namespace tbs::proto {

// Keeps UTF-8, so that names of files can be read. Control characters (also those above ASCII),
// line separators, marks that turn the direction of writing, and bytes that are no UTF-8 become
// '?'.
std::string terminal_text(std::string_view text);

}  // namespace tbs::proto
