#pragma once

// The Unix socket behind a conversation.

#include <memory>
#include <string>

#include "client/tbsctl/connection/stream.h"

namespace tbs::ctl {

// Connects to the socket named, else to that of TBS_SOCKET, else to the default one.
std::expected<std::unique_ptr<Stream>, Failure> connect_to_daemon(const std::string& socket);

}  // namespace tbs::ctl
