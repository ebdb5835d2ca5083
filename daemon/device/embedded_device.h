#pragma once

// The embedded TPM: libtpms in a child process of the daemon (daemon/device/embedded/). The TPM's
// memory is a folder, so that the child may be killed at any time and started again on the same
// TPM, as a machine that loses power and boots. The child lives on when the daemon dies, as long as
// somebody keeps the daemon's end of its socket for a successor.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/device/response_memory.h"
#include "daemon/device/transceiver.h"
#include "daemon/device/unkept_memory.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class ChildProcess;
class EmbeddedLink;

class EmbeddedDevice final : public Transceiver {
 public:
  struct Options {
    std::string state_dir;  // empty: a private folder, removed with this object or the successor's
    Family family = Family::Tpm20;
    std::string tenant;       // whose own it is; empty for the daemon's
    bool keep_state = false;  // what keep_state() is for; never with a private folder
    bool confined = true;     // to the system calls that it makes
    std::string program;  // empty: tbsd-embedded-tpm beside this program, or where it is installed
  };

  EmbeddedDevice(boost::asio::io_context& loop, Options options);
  ~EmbeddedDevice() override;
  EmbeddedDevice(const EmbeddedDevice&) = delete;
  EmbeddedDevice& operator=(const EmbeddedDevice&) = delete;

  void keep_in(ResponseMemory* memory) override;
  [[nodiscard]] std::vector<KeptDescriptor> kept() const override;
  void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) override;
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
              ResponseHandler handler) override;
  void leave_behind() override;
  void keep_state() override;
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
  void link_to(std::unique_ptr<ChildProcess> child);
  [[nodiscard]] Facts facts() const;
  [[nodiscard]] bool keeps_state() const;
  // What a successor must know of the child that is started.
  void remember();
  // The private folder that a predecessor has used, too.
  void find_private_folder();
  [[nodiscard]] std::optional<Failure> refusal(std::span<const std::uint8_t> command) const;

  boost::asio::io_context& loop_;
  loop::Deferred deferred_;
  Options options_;
  std::string name_;
  std::string private_dir_;
  std::unique_ptr<UnkeptMemory> unkept_;
  ResponseMemory* memory_;
  std::shared_ptr<EmbeddedLink> link_;
  LossHandler loss_handler_;
  bool saves_state_ = false;  // when it is closed
};

// Where the daemon finds the program: beside its own executable first, so that a build tree works.
std::string embedded_program();

}  // namespace tbs::device
