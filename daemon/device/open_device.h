#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/device/device_spec.h"
#include "daemon/device/transceiver.h"

namespace tbs::device {

// Things worth a line in the log that are no failure.
using Notice = std::function<void(const std::string&)>;

// The device that `spec` names, not yet open.
std::unique_ptr<Transceiver> make_transceiver(boost::asio::io_context& loop, const DeviceSpec& spec,
                                              Notice notice);

}  // namespace tbs::device
