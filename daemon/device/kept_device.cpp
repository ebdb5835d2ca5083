#include "daemon/device/kept_device.h"

#include <algorithm>
#include <utility>

namespace tbs::device {

KeptDevice::KeptDevice(boost::asio::io_context& loop, std::unique_ptr<Transceiver> device,
                       DescriptorKeeper& keeper, std::string suffix)
    : deferred_(loop), device_(std::move(device)), keeper_(keeper), suffix_(std::move(suffix)) {}

void KeptDevice::open(OpenHandler handler) {
  device_->open([this, handler = std::move(handler)](std::expected<Facts, Failure> facts) mutable {
    if (facts) keep_all();
    handler(std::move(facts));
  });
}

void KeptDevice::adopt(std::vector<KeptDescriptor> left, OpenHandler handler) {
  for (const KeptDescriptor& one : left) names_.push_back("tpm-" + one.name + suffix_);
  device_->adopt(std::move(left),
                 [this, handler = std::move(handler)](std::expected<Facts, Failure> facts) mutable {
                   if (facts) {
                     keep_all();
                     return handler(std::move(facts));
                   }
                   drop_all([handler = std::move(handler), facts = std::move(facts)]() mutable {
                     handler(std::move(facts));
                   });
                 });
}

void KeptDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                          ResponseHandler handler) {
  device_->transmit(command, locality, std::move(handler));
}

void KeptDevice::resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                        ResponseHandler handler) {
  device_->resume(command, locality, std::move(handler));
}

void KeptDevice::close(CloseHandler handler) {
  drop_all([this, handler = std::move(handler)]() mutable { device_->close(std::move(handler)); });
}

void KeptDevice::keep_all() {
  std::vector<std::string> names;
  for (const KeptDescriptor& one : device_->kept()) {
    names.push_back("tpm-" + one.name + suffix_);
    if (std::ranges::find(names_, names.back()) == names_.end())
      keeper_.keep(names.back(), one.descriptor);
  }
  for (const std::string& name : std::exchange(names_, names)) {
    if (std::ranges::find(names, name) == names.end()) keeper_.drop(name, nullptr);
  }
}

void KeptDevice::drop_all(std::move_only_function<void()> done) {
  if (names_.empty()) return deferred_.post(std::move(done));
  // The last one to be gone takes what is to be done with it.
  const auto rest = std::make_shared<std::size_t>(names_.size());
  const auto then = std::make_shared<std::move_only_function<void()>>(std::move(done));
  for (std::string& name : std::exchange(names_, {})) {
    keeper_.drop(std::move(name), [rest, then, alive = deferred_.watch()] {
      if (--*rest == 0 && !alive.expired()) std::exchange(*then, nullptr)();
    });
  }
}

}  // namespace tbs::device
