#pragma once

// The Unix socket behind a conversation.

#include <memory>
#include <string>

#include "client/tbsctl/connection/stream.h"

namespace tbs::ctl {

// Connects to the socket named, else to that of TBS_SOCKET, else to the default one. Without a
// deadline it waits as long as for a daemon that is starting.
std::expected<std::unique_ptr<Stream>, Failure> connect_to_daemon(const std::string& socket,
                                                                  client::Deadline deadline = {});

}  // namespace tbs::ctl
