#pragma once

// Runs the loop until it is stopped or has nothing left to wait for. Before it sleeps it polls for
// a moment where that pays (daemon/base/busy_poll.h).

#include <boost/asio/io_context.hpp>

#include "daemon/base/clock.h"

namespace tbs {

// Zero never polls. With one processor to run on it is taken for zero: nobody else could work then.
void run_loop(boost::asio::io_context& io, Duration busy_poll);

}  // namespace tbs
