#include "daemon/device/open_device.h"

#include <string>
#include <utility>

#include "daemon/device/char_device.h"
#include "daemon/device/embedded_device.h"
#include "daemon/device/swtpm_device.h"

namespace tbs::device {
namespace {

class Maker {
 public:
  Maker(boost::asio::io_context& loop, Notice notice, bool confined)
      : loop_(loop), notice_(std::move(notice)), confined_(confined) {}

  std::unique_ptr<Transceiver> operator()(const CharSpec& spec) {
    return std::make_unique<CharDevice>(loop_, CharDevice::Options{.path = spec.path},
                                        std::move(notice_));
  }

  std::unique_ptr<Transceiver> operator()(const EmbeddedSpec& spec) {
    return std::make_unique<EmbeddedDevice>(loop_,
                                            EmbeddedDevice::Options{.state_dir = spec.state_dir,
                                                                    .family = spec.family,
                                                                    .tenant = spec.tenant,
                                                                    .keep_state = spec.keep_state,
                                                                    .confined = confined_,
                                                                    .program = {}});
  }

  std::unique_ptr<Transceiver> operator()(const SwtpmUnixSpec& spec) {
    return std::make_unique<SwtpmDevice>(
        loop_, "swtpm:path=" + spec.data_path, SwtpmAddress{.path = spec.data_path},
        SwtpmAddress{.path = spec.control_path}, std::move(notice_));
  }

  std::unique_ptr<Transceiver> operator()(const SwtpmTcpSpec& spec) {
    return std::make_unique<SwtpmDevice>(
        loop_, "swtpm:host=" + spec.host + ",port=" + std::to_string(spec.data_port),
        SwtpmAddress{.host = spec.host, .port = spec.data_port},
        SwtpmAddress{.host = spec.host, .port = spec.control_port}, std::move(notice_));
  }

 private:
  boost::asio::io_context& loop_;
  Notice notice_;
  bool confined_;
};

}  // namespace

std::unique_ptr<Transceiver> make_transceiver(boost::asio::io_context& loop, const DeviceSpec& spec,
                                              Notice notice, bool confined) {
  return std::visit(Maker(loop, std::move(notice), confined), spec);
}

}  // namespace tbs::device
