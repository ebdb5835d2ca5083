#pragma once

// A device whose descriptors somebody keeps for a successor (device/descriptor_keeper), for as long
// as it is open. The keeper has no copy any more before the device is closed: else a node that it
// still has could not be opened again, and when the keeper were the last to have it, it would wait
// for the command that runs.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/device/descriptor_keeper.h"
#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class KeptDevice final : public Transceiver {
 public:
  // All but `device` outlive this object. The names for the keeper are "tpm-" + name + `suffix`.
  KeptDevice(boost::asio::io_context& loop, std::unique_ptr<Transceiver> device,
             DescriptorKeeper& keeper, std::string suffix = {});

  void on_loss(LossHandler handler) override { device_->on_loss(std::move(handler)); }
  void keep_in(ResponseMemory* memory) override { device_->keep_in(memory); }
  void open(OpenHandler handler) override;
  // `left` is what the keeper had: it has it still.
  void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) override;
  [[nodiscard]] std::vector<KeptDescriptor> kept() const override { return device_->kept(); }
  void leave_behind() override { device_->leave_behind(); }
  void keep_state() override { device_->keep_state(); }
  void want_power_cycle() override { device_->want_power_cycle(); }
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                ResponseHandler handler) override;
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
              ResponseHandler handler) override;
  void cancel() override { device_->cancel(); }
  void close(CloseHandler handler) override;
  [[nodiscard]] std::string_view name() const override { return device_->name(); }

 private:
  void keep_all();
  // Then calls `done` from the loop.
  void drop_all(std::move_only_function<void()> done);

  loop::Deferred deferred_;
  std::unique_ptr<Transceiver> device_;
  DescriptorKeeper& keeper_;
  std::string suffix_;
  std::vector<std::string> names_;  // of what the keeper has
};

}  // namespace tbs::device
