#include "daemon/device/char_device.h"

#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/device/device_holder.h"
#include "daemon/device/find_tpm.h"
#include "daemon/device/sysfs_chip.h"
#include "proto/byte_reader.h"
#include "proto/limits.h"

namespace tbs::device {
namespace {

// The kernel refuses what is more than it takes: 4096 bytes up to now.
constexpr std::size_t kMaxCommand = proto::kMaxTpmMessage;
constexpr std::size_t kReadSize = proto::kMaxTpmMessage;
constexpr std::size_t kResponseHeader = 10;
constexpr const char* kNodeName = "node";

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

CharDevice::Node inspect_node(int descriptor) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return {.error = errno};
  if (!S_ISCHR(info.st_mode)) return {.error = ENOTTY};
  return {.descriptor = descriptor, .number = info.st_rdev};
}

// Under which path a descriptor was opened.
std::string path_of(int descriptor) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
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
    case EIO:        // the driver could not read the response
    case EFAULT:     // what it read is no response
      return false;
    default:
      return true;
  }
}

}  // namespace

// Closed by whoever has it last: this device or the helper thread that works on it.
struct CharDevice::AdoptedNode {
  explicit AdoptedNode(int of) : descriptor(of) {}
  ~AdoptedNode() {
    if (descriptor >= 0) ::close(descriptor);
  }
  AdoptedNode(const AdoptedNode&) = delete;
  AdoptedNode& operator=(const AdoptedNode&) = delete;

  int descriptor;
};

CharDevice::CharDevice(boost::asio::io_context& loop, Options options, Notice notice)
    : options_(std::move(options)),
      path_(options_.path.empty() ? "auto" : options_.path),
      notice_(std::move(notice)),
      deferred_(loop),
      wait_(loop),
      blocking_(loop, loop::BlockingCalls::Order::Parallel,
                loop::BlockingCalls::AtEnd::LeaveBehind),
      exchanges_(loop, loop::BlockingCalls::Order::InOrder,
                 loop::BlockingCalls::AtEnd::LeaveBehind),
      node_(loop),
      buffer_(kReadSize) {
  if (!options_.opener) options_.opener = open_node;
  if (!options_.inspector) options_.inspector = inspect_node;
}

CharDevice::~CharDevice() {
  if (adopted_) blocking_.run([node = std::move(adopted_)]() mutable { node.reset(); });
  if (!node_.is_open()) return;
  blocking_.run([descriptor = node_.release()] { ::close(descriptor); });
}

void CharDevice::open(OpenHandler handler) {
  if (node_.is_open() || adopted_) {
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

std::vector<KeptDescriptor> CharDevice::kept() const {
  if (adopted_) return {{.name = kNodeName, .descriptor = adopted_->descriptor}};
  if (!node_.is_open()) return {};
  // native_handle() is not const, though it changes nothing.
  auto& node = const_cast<boost::asio::posix::stream_descriptor&>(node_);
  return {{.name = kNodeName, .descriptor = node.native_handle()}};
}

// Nothing here asks the driver: a command may run.
void CharDevice::adopt(std::vector<KeptDescriptor> left, OpenHandler handler) {
  const int descriptor = take_descriptor(left, kNodeName);
  blocking_.run([rest = std::move(left)]() mutable { close_descriptors(rest); });
  auto adopted = std::make_shared<AdoptedNode>(descriptor);
  Node node{.error = EBADF};
  if (node_.is_open() || adopted_) node.error = EALREADY;
  if (descriptor >= 0 && node.error == EBADF) node = options_.inspector(descriptor);
  struct stat named{};
  if (node.error == 0 && !options_.path.empty() && ::stat(options_.path.c_str(), &named) == 0 &&
      named.st_rdev != node.number) {
    node.error = ENODEV;
  }
  if (node.error == 0 && ::fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) node.error = errno;
  if (node.error != 0) {
    blocking_.run([refused = std::move(adopted)]() mutable { refused.reset(); });
    return deferred_.post_failure(std::move(handler), failure("take over", node.error));
  }
  if (options_.path.empty()) path_ = path_of(descriptor);
  adopted_ = std::move(adopted);
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
  if (!node_.is_open() && !adopted_) {
    return deferred_.post_failure(std::move(handler), failure("use", EBADF));
  }
  if (command.size() > kMaxCommand) {
    return deferred_.post_failure(std::move(handler), failure("write to", E2BIG));
  }
  response_handler_ = std::move(handler);
  if (adopted_) {
    exchange(command, false);
  } else if (cancel_writing_) {
    held_.assign(command.begin(), command.end());
  } else {
    send(command);
  }
}

void CharDevice::resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                        ResponseHandler handler) {
  if (!adopted_ || memory_ == nullptr || command.size() > kMaxCommand) {
    return transmit(command, locality, std::move(handler));
  }
  response_handler_ = std::move(handler);
  if (!deliver_kept()) exchange(command, true);
}

bool CharDevice::deliver_kept() {
  const ResponseMemory::Command& command = memory_->command();
  if (command.phase == ResponseMemory::kFailed) {
    fail_command(failure("read from", static_cast<int>(command.error)));
    return true;
  }
  proto::ByteReader header(memory_->response());
  if (header.be16() == 0) return false;
  // The kernel copies a response as a whole.
  const std::uint32_t size = header.be32();
  if (size < kResponseHeader || size > memory_->response().size()) {
    fail_command({.operation = "take over a response of " + path_ + " that makes no sense"});
    return true;
  }
  deliver_later(size);
  return true;
}

void CharDevice::exchange(std::span<const std::uint8_t> command, bool may_be_sent) {
  in_flight_ = true;
  NodeExchange work{.command = {command.begin(), command.end()},
                    .may_be_sent = may_be_sent,
                    .memory = memory_,
                    .response = response_space()};
  exchanges_.run(
      [shared = adopted_, work = std::move(work)]() mutable {
        // Let go of before the loop hears of it.
        const auto node = std::move(shared);
        return finish_exchange(node->descriptor, work);
      },
      [this, watched = wait_.watch()](const std::expected<std::size_t, NodeFailure>& result) {
        if (!watched.expired()) on_exchanged(result);
      });
}

void CharDevice::on_exchanged(const std::expected<std::size_t, NodeFailure>& result) {
  in_flight_ = false;
  if (!result) {
    note_failure(memory_, result.error().error);
    if (!take_into_loop()) return;
    return fail_command(failure(result.error().verb, result.error().error));
  }
  if (!take_into_loop()) return;
  deliver_later(*result);
}

// What the loop has found out about a descriptor that was closed is on its way still, and Asio
// gives that one's place to the node: it would end the wait for the next command's response before
// that is there, and the read would block. So the next command comes after what is on its way.
void CharDevice::deliver_later(std::size_t size) {
  deferred_.post([this, size, watched = wait_.watch()] {
    if (watched.expired() || !response_handler_) return;
    std::exchange(response_handler_, nullptr)(response_space().first(size));
  });
}

bool CharDevice::take_into_loop() {
  boost::system::error_code error;
  node_.assign(adopted_->descriptor, error);
  if (error) {
    fail_command(failure("watch", error.value()));
    return false;
  }
  adopted_->descriptor = -1;
  adopted_.reset();
  return true;
}

std::span<std::uint8_t> CharDevice::response_space() {
  return memory_ != nullptr ? memory_->response() : std::span(buffer_);
}

void CharDevice::send(std::span<const std::uint8_t> command) {
  arm();
  note_start(memory_);
  const ssize_t written = ::write(node_.native_handle(), command.data(), command.size());
  const int error = errno;
  if (written == static_cast<ssize_t>(command.size())) {
    note_written(memory_);
    in_flight_ = true;
    return;
  }
  note_failure(memory_, written < 0 ? error : EIO);
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
  const std::span<std::uint8_t> space = response_space();
  const ssize_t count = ::read(node_.native_handle(), space.data(), space.size());
  const int error = count == 0 ? ENODATA : errno;
  if (count < 0 && (error == EAGAIN || error == EINTR)) return arm();
  in_flight_ = false;
  if (count <= 0) {
    note_failure(memory_, error);
    return fail_command(failure("read from", error));
  }
  std::exchange(response_handler_, nullptr)(space.first(static_cast<std::size_t>(count)));
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
  // After what a helper thread does on it.
  if (adopted_) {
    return exchanges_.run([node = std::move(adopted_)]() mutable { node.reset(); },
                          std::move(handler));
  }
  if (!node_.is_open()) return deferred_.post(std::move(handler));
  blocking_.run([descriptor = node_.release()] { ::close(descriptor); }, std::move(handler));
}

Failure CharDevice::failure(const char* verb, int error) const {
  if (error == ENODATA) {
    return {.operation = std::string(verb) + " " + path_ + ": the response was lost"};
  }
  return {.operation = verb + (" " + path_), .error = error, .reopen = needs_reopen(error)};
}

}  // namespace tbs::device
