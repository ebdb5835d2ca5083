#pragma once

// A connected stream socket that a predecessor has left.

#include <expected>
#include <string>

namespace tbs::device {

// Its family of addresses (AF_UNIX), or what is wrong with it. Nothing is read or written.
std::expected<int, std::string> stream_family(int descriptor);

}  // namespace tbs::device
