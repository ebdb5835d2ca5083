#pragma once

// The configuration string of the TCTI module, what follows "tbs:" in the name that tctildr takes:
//
//   (nothing)                         the usual socket, priority normal
//   /path/to.sock                     another socket
//   socket=/path,priority=high        either, or both; a priority is low, normal, high or a number
//
// A string whose first part has no known key before a '=' is taken as a path, so that any path can
// be written.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace tbs::tcti {

struct Config {
  std::string socket;  // empty: the usual one
  std::uint32_t priority = 200;
};

// The configuration, or what is wrong with it, for people.
std::expected<Config, std::string> parse_config(std::string_view text);

}  // namespace tbs::tcti
