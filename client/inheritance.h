#pragma once

// What a forked child needs to get copies of its parent's objects: the number of the parent's
// context, and the token that the daemon gave the parent for it.

#include <array>
#include <cstdint>
#include <cstring>

#include "proto/limits.h"

namespace tbs::client {

struct Inheritance {
  std::uint64_t context = 0;
  std::array<std::uint8_t, proto::kTokenSize> token{};

  // Of no other connection.
  [[nodiscard]] std::uint64_t label() const {
    std::uint64_t start = 0;
    std::memcpy(&start, token.data(), sizeof start);
    return start;
  }
};

}  // namespace tbs::client
