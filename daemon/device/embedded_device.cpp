#include "daemon/device/embedded_device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <errno.h>
#include <unistd.h>

#include "daemon/base/fingerprint.h"
#include "daemon/base/ordered_store.h"
#include "daemon/device/child_frame.h"
#include "daemon/device/child_process.h"
#include "daemon/device/embedded_link.h"
#include "daemon/device/embedded_record.h"
#include "daemon/device/interface_type.h"

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrivateFolder = "tbsd-embedded-";

std::string device_name(const EmbeddedDevice::Options& options) {
  const std::string word = options.family == Family::Tpm12 ? "embedded12" : "embedded";
  // A tenant's clients see the name, and the host's folders are not their business.
  if (!options.tenant.empty()) return word + " of tenant " + options.tenant;
  return options.state_dir.empty() ? word : word + ":" + options.state_dir;
}

// Where the private folder is: a service's own /tmp is emptied when it ends, and the TPM lives
// on over a restart.
fs::path place_for_private_folders() {
  std::error_code error;
  const char* const folders = std::getenv("RUNTIME_DIRECTORY");
  if (folders != nullptr) {
    const std::string all = folders;
    const fs::path first = all.substr(0, all.find(':'));
    if (fs::is_directory(first, error)) return first;
  }
  return fs::temp_directory_path(error);
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
    : loop_(loop),
      deferred_(loop),
      options_(std::move(options)),
      name_(device_name(options_)),
      unkept_(std::make_unique<UnkeptMemory>()),
      memory_(&unkept_->memory()) {}

EmbeddedDevice::~EmbeddedDevice() {
  if (link_) link_->abandon();
  std::error_code ignored;
  if (!private_dir_.empty()) fs::remove_all(private_dir_, ignored);
}

void EmbeddedDevice::keep_in(ResponseMemory* memory) {
  memory_ = memory != nullptr ? memory : &unkept_->memory();
}

std::vector<KeptDescriptor> EmbeddedDevice::kept() const {
  return link_ ? link_->kept() : std::vector<KeptDescriptor>();
}

void EmbeddedDevice::adopt(std::vector<KeptDescriptor> left, OpenHandler handler) {
  const int socket = take_descriptor(left, kChildSocketName);
  const int process = take_descriptor(left, kChildProcessName);
  close_descriptors(left);
  auto child = ChildProcess::adopt(loop_, socket, process);
  find_private_folder();
  const bool known = memory_->knows<EmbeddedRecord>() &&
                     memory_->device<EmbeddedRecord>().name == fingerprint(name_);
  std::string problem;
  if (!known) problem = "take over an embedded TPM that nothing is known of";
  if (link_) problem = "take over an embedded TPM beside one that is open";
  if (!child) problem = child.error().operation;
  if (!problem.empty()) {
    // Whoever has started it may still want it: it ends with its socket.
    if (child) (*child)->leave_behind();
    return deferred_.post_failure(std::move(handler), Failure{.operation = std::move(problem)});
  }
  link_to(std::move(*child));
  link_->go_on();
  deferred_.post(
      [known_facts = facts(), opened = std::move(handler)]() mutable { opened(known_facts); });
}

void EmbeddedDevice::find_private_folder() {
  if (!options_.state_dir.empty() || !private_dir_.empty()) return;
  if (!memory_->knows<EmbeddedRecord>()) return;
  const EmbeddedRecord& record = memory_->device<EmbeddedRecord>();
  if (record.name != fingerprint(name_)) return;
  const std::string folder(record.folder.data(),
                           ::strnlen(record.folder.data(), record.folder.size()));
  // Nothing else is ever removed.
  if (fs::path(folder).filename().native().starts_with(kPrivateFolder)) private_dir_ = folder;
}

void EmbeddedDevice::leave_behind() {
  if (link_) link_->leave_behind();
  link_.reset();
  private_dir_.clear();
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
       keeps_state() ? "keep" : "discard"});
  if (!child) {
    Failure failure = std::move(child.error());
    if (failure.error == ENOENT) {
      failure.advice =
          "the embedded TPM is a program of its own; install it or use another --device";
    }
    return std::unexpected(std::move(failure));
  }
  remember();
  link_to(std::move(*child));
  link_->start(std::move(handler));
  return {};
}

void EmbeddedDevice::link_to(std::unique_ptr<ChildProcess> child) {
  link_ = std::make_shared<EmbeddedLink>(loop_, std::move(child), facts(), *memory_);
  link_->on_loss([this](const Failure& failure) {
    if (loss_handler_) loss_handler_(failure);
  });
}

Facts EmbeddedDevice::facts() const {
  return {.family = options_.family,
          .interface_type = kEmulator,
          .can_cancel = options_.family == Family::Tpm20,
          .localities = true,
          .owns_power = true,
          .can_power_cycle = true};
}

void EmbeddedDevice::remember() {
  EmbeddedRecord& record = memory_->device<EmbeddedRecord>();
  store_in_order(record.kind, 0);
  record = {.kind = 0, .name = fingerprint(name_)};
  if (private_dir_.size() < record.folder.size()) {
    std::ranges::copy(private_dir_, record.folder.begin());
  }
  store_in_order(record.kind, EmbeddedRecord::kKind);
}

std::expected<std::string, Failure> EmbeddedDevice::state_folder() {
  if (!options_.state_dir.empty()) return options_.state_dir;
  if (!private_dir_.empty()) return private_dir_;
  std::string pattern = place_for_private_folders() / (kPrivateFolder + std::string("XXXXXX"));
  if (::mkdtemp(pattern.data()) == nullptr) {
    return std::unexpected(
        Failure{.operation = "make the embedded TPM's folder " + pattern, .error = errno});
  }
  private_dir_ = pattern;
  return private_dir_;
}

std::optional<Failure> EmbeddedDevice::refusal(std::span<const std::uint8_t> command) const {
  if (!link_) {
    return Failure{.operation = "use an embedded TPM that is not open", .error = ENODEV};
  }
  if (command.size() > kMaxFramePayload) {
    return Failure{.operation = "send the embedded TPM a command of " +
                                std::to_string(command.size()) + " bytes",
                   .error = E2BIG,
                   .reopen = false};
  }
  return std::nullopt;
}

void EmbeddedDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                              ResponseHandler handler) {
  if (auto refused = refusal(command)) {
    return deferred_.post_failure(std::move(handler), *std::move(refused));
  }
  if (memory_ == &unkept_->memory()) memory_->begin(1);
  link_->transmit(command, locality, std::move(handler));
}

void EmbeddedDevice::resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                            ResponseHandler handler) {
  if (auto refused = refusal(command)) {
    return deferred_.post_failure(std::move(handler), *std::move(refused));
  }
  link_->resume(command, locality, std::move(handler));
}

void EmbeddedDevice::cancel() {
  if (link_) link_->cancel();
}

void EmbeddedDevice::keep_state() {
  saves_state_ = keeps_state();
}

bool EmbeddedDevice::keeps_state() const {
  return options_.keep_state && private_dir_.empty();
}

void EmbeddedDevice::close(CloseHandler handler) {
  const bool saves = std::exchange(saves_state_, false);
  if (!link_) return deferred_.post(std::move(handler));
  auto closed = [this, life = link_.get(), handler = std::move(handler)]() mutable {
    if (link_.get() == life) link_.reset();
    handler();
  };
  if (saves) return link_->save_and_close(std::move(closed));
  link_->close(std::move(closed));
}

}  // namespace tbs::device
