#include "daemon/device/char_device.h"

#include <cstring>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/device/device_holder.h"
#include "daemon/device/find_tpm.h"
#include "daemon/device/sysfs_chip.h"

namespace tbs::device {
namespace {

constexpr std::size_t kMaxCommand = 4096;  // the kernel's own limit
constexpr std::size_t kReadSize = 8192;

CharDevice::Node open_node(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  const int open_error = errno;
  struct stat info{};
  if (descriptor < 0) {
    // The number is needed to find out who holds it.
    const bool known = ::stat(path.c_str(), &info) == 0;
    return {.number = known ? info.st_rdev : 0, .error = open_error};
  }
  if (::fstat(descriptor, &info) == 0 && S_ISCHR(info.st_mode)) {
    return {.descriptor = descriptor, .number = info.st_rdev};
  }
  ::close(descriptor);
  return {.error = ENOTTY};
}

std::string open_advice(int error) {
  switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return "there is no such TPM: switch it on in the firmware's setup and look for its driver "
             "in the kernel's log; a machine without one can use --device embedded";
    case EPERM:
      return "something but the file's mode keeps tbsd from it: DeviceAllow= of its unit, the "
             "devices of its container, or a security module";
    case EACCES:
      return "the user of tbsd needs the right to read and write it, which the udev rule "
             "70-tbs.rules gives the group tbs";
    case ENOTTY:
      return "it is not a character device";
    default:
      return {};
  }
}

const char* cancel_advice(int error) {
  if (error != EACCES && error != EPERM) return "";
  return "; the user of tbsd needs the right to write it, which the udev rule 70-tbs.rules gives";
}

// Whether the node may still be of use after this error.
bool needs_reopen(int error) {
  switch (error) {
    case EINVAL:     // a header that does not fit the command
    case E2BIG:      // too long
    case ECANCELED:  // cancelled through sysfs
    case ETIME:      // the driver's own time-out: the next command works or meets the same
      return false;
    default:
      return true;
  }
}

}  // namespace

CharDevice::CharDevice(boost::asio::io_context& loop, Options options, Notice notice)
    : options_(std::move(options)),
      path_(options_.path.empty() ? "auto" : options_.path),
      notice_(std::move(notice)),
      deferred_(loop),
      wait_(loop),
      blocking_(loop, loop::BlockingCalls::Order::Parallel,
                loop::BlockingCalls::AtEnd::LeaveBehind),
      node_(loop),
      buffer_(kReadSize) {
  if (!options_.opener) options_.opener = open_node;
}

CharDevice::~CharDevice() {
  if (!node_.is_open()) return;
  blocking_.run([descriptor = node_.release()] { ::close(descriptor); });
}

void CharDevice::open(OpenHandler handler) {
  if (node_.is_open()) {
    return deferred_.post_failure(
        std::move(handler),
        Failure{
            .operation = "open " + path_ + ", which is open", .error = EALREADY, .reopen = false});
  }
  const Node node = choose_path() ? options_.opener(path_) : Node{.error = ENODEV};
  if (node.descriptor < 0) return refuse_open(node, std::move(handler));
  boost::system::error_code error;
  node_.assign(node.descriptor, error);
  if (error) {
    ::close(node.descriptor);
    return deferred_.post_failure(std::move(handler), failure("watch", error.value()));
  }
  deferred_.post(
      [facts = learn_facts(node.number), opened = std::move(handler)]() mutable { opened(facts); });
}

bool CharDevice::choose_path() {
  if (!options_.path.empty()) return true;
  const std::string found = find_tpm(options_.sysfs, options_.dev);
  path_ = found.empty() ? "auto" : found;
  return !found.empty();
}

void CharDevice::refuse_open(const Node& node, OpenHandler handler) {
  Failure refusal = failure("open", node.error);
  refusal.advice = open_advice(node.error);
  if (node.error != EBUSY) return deferred_.post_failure(std::move(handler), std::move(refusal));
  blocking_.run([number = node.number, proc = options_.proc] { return find_holders(number, proc); },
                [this, refusal = std::move(refusal),
                 handler = std::move(handler)](const Holders& holders) mutable {
                  refusal.advice = holder_advice(holders);
                  deferred_.post_failure(std::move(handler), std::move(refusal));
                });
}

Facts CharDevice::learn_facts(dev_t number) {
  ChipFacts chip = read_chip_facts(number, options_.sysfs);
  cancel_path_ = std::move(chip.cancel_path);
  return {.family = chip.family,
          .interface_type = chip.interface_type,
          .can_cancel = !cancel_path_.empty(),
          .owns_power = false};
}

void CharDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t /*locality*/,
                          ResponseHandler handler) {
  if (!node_.is_open()) {
    return deferred_.post_failure(std::move(handler), failure("use", EBADF));
  }
  if (command.size() > kMaxCommand) {
    return deferred_.post_failure(std::move(handler), failure("write to", E2BIG));
  }
  response_handler_ = std::move(handler);
  if (cancel_writing_) {
    held_.assign(command.begin(), command.end());
  } else {
    send(command);
  }
}

void CharDevice::send(std::span<const std::uint8_t> command) {
  arm();
  const ssize_t written = ::write(node_.native_handle(), command.data(), command.size());
  const int error = errno;
  if (written == static_cast<ssize_t>(command.size())) {
    in_flight_ = true;
    return;
  }
  // The node is idle in all of these cases, so the wait can be given up at once.
  wait_.drop();
  boost::system::error_code ignored;
  node_.cancel(ignored);
  fail_command(failure("write to", written < 0 ? error : EIO));
}

void CharDevice::arm() {
  node_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this, alive = wait_.watch()](boost::system::error_code error) {
                     if (!error && !alive.expired()) on_readable();
                   });
}

void CharDevice::on_readable() {
  const ssize_t count = ::read(node_.native_handle(), buffer_.data(), buffer_.size());
  const int error = errno;
  if (count < 0 && (error == EAGAIN || error == EINTR)) return arm();
  in_flight_ = false;
  if (count < 0) return fail_command(failure("read from", error));
  if (count == 0) {
    return fail_command({.operation = "read from " + path_ + ": the response was lost"});
  }
  std::exchange(response_handler_,
                nullptr)(std::span(buffer_).first(static_cast<std::size_t>(count)));
}

void CharDevice::fail_command(Failure failure) {
  deferred_.post_failure(std::exchange(response_handler_, nullptr), std::move(failure));
}

void CharDevice::cancel() {
  if (!in_flight_ || cancel_writing_ || cancel_path_.empty()) return;
  cancel_writing_ = true;
  blocking_.run([path = cancel_path_] { return write_cancel(path); },
                [this](int error) { on_cancel_written(error); });
}

void CharDevice::on_cancel_written(int error) {
  cancel_writing_ = false;
  if (error != 0 && error != std::exchange(cancel_error_, error)) {
    notice_("cannot cancel through " + cancel_path_ + ": " + std::strerror(error) +
            cancel_advice(error) +
            "; a cancelled command is answered at once and runs to its end on the TPM");
  }
  if (!held_.empty() && response_handler_) send(std::exchange(held_, {}));
}

void CharDevice::close(CloseHandler handler) {
  fail_command({.operation = path_ + " was closed", .error = ECANCELED});
  wait_.drop();
  held_.clear();
  in_flight_ = false;
  if (!node_.is_open()) return deferred_.post(std::move(handler));
  blocking_.run([descriptor = node_.release()] { ::close(descriptor); }, std::move(handler));
}

Failure CharDevice::failure(const char* verb, int error) const {
  return {.operation = verb + (" " + path_), .error = error, .reopen = needs_reopen(error)};
}

}  // namespace tbs::device
