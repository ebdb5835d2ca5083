#pragma once

// What a record of a log says. Nothing in it steers a terminal, and each text fits on a line.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tbs::ctl {

struct Description {
  std::string text;                // on one line; it may be cut
  std::vector<std::string> parts;  // one line each: certificates, partitions; bounded
  nlohmann::ordered_json
      fields;  // the same for programs; null where there is no more than the text
};

// Of more parts a log makes no lines.
inline constexpr std::size_t kMostParts = 64;

}  // namespace tbs::ctl
