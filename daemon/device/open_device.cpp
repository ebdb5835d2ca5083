#include "daemon/device/open_device.h"

#include <stdexcept>
#include <utility>

#include "daemon/device/embedded_device.h"

namespace tbs::device {

std::unique_ptr<Transceiver> make_transceiver(boost::asio::io_context& loop, const DeviceSpec& spec,
                                              Notice /*notice*/) {
  if (const auto* embedded = std::get_if<EmbeddedSpec>(&spec)) {
    return std::make_unique<EmbeddedDevice>(
        loop, EmbeddedDevice::Options{
                  .state_dir = embedded->state_dir, .family = embedded->family, .program = {}});
  }
  throw std::runtime_error("this build knows the embedded TPM only");
}

}  // namespace tbs::device
