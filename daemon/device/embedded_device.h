#pragma once

// The embedded TPM: libtpms in a child process of the daemon (daemon/device/embedded/). The TPM's
// memory is a folder, so that the child may be killed at any time and started again on the same
// TPM, as a machine that loses power and boots.

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class EmbeddedLink;

class EmbeddedDevice final : public Transceiver {
 public:
  struct Options {
    std::string state_dir;  // empty: a private folder, removed with this object
    Family family = Family::Tpm20;
    std::string tenant;    // whose own it is; empty for the daemon's
    bool confined = true;  // to the system calls that it makes
    std::string program;   // empty: tbsd-embedded-tpm beside this program, or where it is installed
  };

  EmbeddedDevice(boost::asio::io_context& loop, Options options);
  ~EmbeddedDevice() override;
  EmbeddedDevice(const EmbeddedDevice&) = delete;
  EmbeddedDevice& operator=(const EmbeddedDevice&) = delete;

  void on_loss(LossHandler handler) override { loss_handler_ = std::move(handler); }
  void open(OpenHandler handler) override;
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                ResponseHandler handler) override;
  void cancel() override;
  void close(CloseHandler handler) override;
  [[nodiscard]] std::string_view name() const override { return name_; }

 private:
  std::expected<void, Failure> start_child(OpenHandler& handler);
  std::expected<std::string, Failure> state_folder();

  boost::asio::io_context& loop_;
  loop::Deferred deferred_;
  Options options_;
  std::string name_;
  std::string private_dir_;
  std::shared_ptr<EmbeddedLink> link_;
  LossHandler loss_handler_;
};

// Where the daemon finds the program: beside its own executable first, so that a build tree works.
std::string embedded_program();

}  // namespace tbs::device
