#include "daemon/loop/loop_gap.h"

namespace tbs::loop {

boost::asio::io_context::id LoopGap::id;

}  // namespace tbs::loop
