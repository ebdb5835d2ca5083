#pragma once

// What became of a request: it was dealt with, or the peer broke the protocol and is disconnected.
// A request that is refused and answered so counts as dealt with.

#include <expected>
#include <string>
#include <utility>

#include "proto/status.h"

namespace tbs::server {

struct Breach {
  proto::Status status = proto::Status::BadParameter;
  std::string reason;  // for the peer and the log
};

using Handled = std::expected<void, Breach>;

inline std::unexpected<Breach> breach(std::string reason,
                                      proto::Status status = proto::Status::BadParameter) {
  return std::unexpected(Breach{.status = status, .reason = std::move(reason)});
}

}  // namespace tbs::server
