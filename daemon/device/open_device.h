#pragma once

// From a specification to the device it names.

#include <memory>

#include <boost/asio/io_context.hpp>

#include "daemon/device/device_spec.h"
#include "daemon/device/notice.h"
#include "daemon/device/transceiver.h"

namespace tbs::device {

// Nothing is opened yet. `loop` must outlive the transceiver. `notice` is called from the loop.
// A process that a device starts is `confined` to the system calls that it needs.
std::unique_ptr<Transceiver> make_transceiver(boost::asio::io_context& loop, const DeviceSpec& spec,
                                              Notice notice, bool confined);

}  // namespace tbs::device
