#include "daemon/device/embedded_device.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <errno.h>
#include <unistd.h>

#include "daemon/device/child_frame.h"
#include "daemon/device/child_process.h"
#include "daemon/device/embedded_link.h"
#include "daemon/device/interface_type.h"

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

std::string device_name(const EmbeddedDevice::Options& options) {
  const std::string word = options.family == Family::Tpm12 ? "embedded12" : "embedded";
  // A tenant's clients see the name, and the host's folders are not their business.
  if (!options.tenant.empty()) return word + " of tenant " + options.tenant;
  return options.state_dir.empty() ? word : word + ":" + options.state_dir;
}

}  // namespace

std::string embedded_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path beside = self.parent_path() / "tbsd-embedded-tpm";
    if (fs::exists(beside, error)) return beside;
  }
  return TBS_LIBEXECDIR "/tbsd-embedded-tpm";
}

EmbeddedDevice::EmbeddedDevice(boost::asio::io_context& loop, Options options)
    : loop_(loop), deferred_(loop), options_(std::move(options)), name_(device_name(options_)) {}

EmbeddedDevice::~EmbeddedDevice() {
  if (link_) link_->abandon();
  std::error_code ignored;
  if (!private_dir_.empty()) fs::remove_all(private_dir_, ignored);
}

void EmbeddedDevice::open(OpenHandler handler) {
  std::expected<void, Failure> started;
  // A life that ended by itself, perhaps before it was ready, is no obstacle to the next one.
  if (link_ && link_->ended()) link_.reset();
  if (link_) {
    started = std::unexpected(
        Failure{.operation = "open an embedded TPM that is open", .error = EBUSY, .reopen = false});
  } else {
    started = start_child(handler);
  }
  if (started) return;
  deferred_.post_failure(std::move(handler), std::move(started.error()));
}

std::expected<void, Failure> EmbeddedDevice::start_child(OpenHandler& handler) {
  const auto folder = state_folder();
  if (!folder) return std::unexpected(folder.error());
  const std::string program = options_.program.empty() ? embedded_program() : options_.program;
  auto child = ChildProcess::spawn(
      loop_, program,
      {*folder, options_.family == Family::Tpm12 ? "1.2" : "2.0",
       private_dir_.empty() ? "durable" : "volatile", options_.confined ? "confined" : "unconfined",
       std::to_string(::getpid())});
  if (!child) {
    Failure failure = std::move(child.error());
    if (failure.error == ENOENT) {
      failure.advice =
          "the embedded TPM is a program of its own; install it or use another --device";
    }
    return std::unexpected(std::move(failure));
  }
  const Facts facts{.family = options_.family,
                    .interface_type = kEmulator,
                    .can_cancel = options_.family == Family::Tpm20,
                    .localities = true,
                    .owns_power = true,
                    .can_power_cycle = true};
  link_ = std::make_shared<EmbeddedLink>(loop_, std::move(*child), facts);
  link_->on_loss([this](const Failure& failure) {
    if (loss_handler_) loss_handler_(failure);
  });
  link_->start(std::move(handler));
  return {};
}

std::expected<std::string, Failure> EmbeddedDevice::state_folder() {
  if (!options_.state_dir.empty()) return options_.state_dir;
  if (!private_dir_.empty()) return private_dir_;
  std::error_code ignored;
  std::string pattern = fs::temp_directory_path(ignored) / "tbsd-embedded-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return std::unexpected(
        Failure{.operation = "make the embedded TPM's folder " + pattern, .error = errno});
  }
  private_dir_ = pattern;
  return private_dir_;
}

void EmbeddedDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                              ResponseHandler handler) {
  Failure failure;
  if (!link_) {
    failure = {.operation = "use an embedded TPM that is not open", .error = ENODEV};
  } else if (command.size() > kMaxFramePayload) {
    failure = {.operation = "send the embedded TPM a command of " + std::to_string(command.size()) +
                            " bytes",
               .error = E2BIG,
               .reopen = false};
  } else {
    return link_->transmit(command, locality, std::move(handler));
  }
  deferred_.post_failure(std::move(handler), std::move(failure));
}

void EmbeddedDevice::cancel() {
  if (link_) link_->cancel();
}

void EmbeddedDevice::close(CloseHandler handler) {
  if (!link_) return deferred_.post(std::move(handler));
  link_->close([this, life = link_.get(), closed = std::move(handler)]() mutable {
    if (link_.get() == life) link_.reset();
    closed();
  });
}

}  // namespace tbs::device
