#pragma once

// Sockets that a service manager has opened and handed over, by the protocol of sd_listen_fds(3):
// two variables of the environment, and descriptors from 3 on.

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "client/tbsctl/bridge/address.h"

namespace tbs::ctl::bridge {

// As many as a protocol has channels.
inline constexpr std::size_t kMaxInherited = 2;

// How many there are for the process `self`, by the values of LISTEN_PID and LISTEN_FDS (null: not
// set). None when they are for another process; an error when they are no numbers, or too large.
std::expected<std::size_t, std::string> inherited_count(const char* process, const char* count,
                                                        int self);

// Takes them, once, in the order of the unit; none when there are none. Each must be a stream
// socket that listens, else nothing is taken.
std::expected<std::vector<Listening>, std::string> take_inherited_sockets();

}  // namespace tbs::ctl::bridge
