#pragma once

// What a reader of a log says of bytes from outside, looked at as a terminal and a program would.

#include <cstdlib>
#include <string>

#include "client/tbsctl/log/description.h"
#include "proto/terminal_text.h"

namespace tbs::test {

inline void require(bool condition) {
  if (!condition) std::abort();
}

// Fits on a line, and steers nothing.
inline void check_line(const std::string& text) {
  require(proto::terminal_text(text) == text && text.size() < 1024);
}

inline void check_description(const ctl::Description& description) {
  check_line(description.text);
  require(description.parts.size() <= 2 * ctl::kMostParts);
  for (const std::string& part : description.parts) check_line(part);
  // What is for programs can be written, whatever is in it.
  (void)description.fields.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tbs::test
