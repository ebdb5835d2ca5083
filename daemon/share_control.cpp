#include "daemon/share_control.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

namespace tbs {
namespace {

namespace fs = std::filesystem;
using SeenNode = exec::KernelUse::Node;

TimePoint now() {
  return std::chrono::steady_clock::now();
}

// Trusted keys, and HMAC sessions for what the kernel does. These are names alone: no driver is
// asked for what is in them.
bool kernel_has_users_of_its_own(const std::string& device) {
  std::error_code ignored;
  const fs::path chip = fs::path("/sys/class/tpm") / fs::path(device).filename();
  return fs::exists("/sys/module/trusted", ignored) || fs::exists(chip / "null_name", ignored);
}

std::string_view meaning_of(exec::Share share) {
  if (share == exec::Share::Strict) return "all slots are left free after each command";
  if (share == exec::Share::Spare) return "some slots stay free, for the kernel itself";
  return "slots are left free when the TPM is idle";
}

}  // namespace

exec::Share first_share(ShareMode mode) {
  switch (mode) {
    case ShareMode::Idle:
      return exec::Share::Idle;
    case ShareMode::Exclusive:
      return exec::Share::Exclusive;
    case ShareMode::Strict:
    case ShareMode::Auto:
      break;
  }
  return exec::Share::Strict;
}

ShareControl::ShareControl(boost::asio::io_context& io, ShareMode mode,
                           std::function<void(exec::Share)> changed)
    : watch_(io),
      alarm_(io),
      changed_(std::move(changed)),
      mode_(mode),
      share_(first_share(mode)) {}

void ShareControl::begin(const std::string& device) {
  if (mode_ != ShareMode::Auto) return;
  const bool same = std::exchange(device_, device) == device;
  const std::string node = device::manager_node(device);
  const bool of_the_kernel = !node.empty();
  use_.set_kernel_itself(of_the_kernel && kernel_has_users_of_its_own(device));
  if (of_the_kernel) {
    if (!same || !watch_.watching()) look(node);
  } else {
    watch_.stop();
    use_.set_node(SeenNode::None, now());
  }
  decide();
}

void ShareControl::stop() {
  watch_.stop();
  alarm_.cancel();
}

void ShareControl::look(const std::string& node) {
  const int error = watch_.start(
      node,
      [this] {
        use_.noticed(now());
        decide();
      },
      [this, node](int why) {
        unseen(node, why);
        decide();
      });
  if (error != 0) return unseen(node, error);
  use_.set_node(SeenNode::Watched, now());
}

void ShareControl::unseen(const std::string& node, int error) {
  // A TPM 1.2 has none.
  if (error == ENOENT) return use_.set_node(SeenNode::None, now());
  spdlog::warn(
      "share = auto: cannot see who uses {}: {}; its users find free slots after each command, as "
      "with strict. Give tbsd's group the right to read it (70-tbs.rules does, with setfacl)",
      node, std::strerror(error));
  use_.set_node(SeenNode::Unseen, now());
}

void ShareControl::decide() {
  const TimePoint time = now();
  if (const auto at = use_.changes_at(time)) {
    alarm_.set(*at - time, [this] { decide(); });
  } else {
    alarm_.cancel();
  }
  const exec::Share before = std::exchange(share_, use_.share(time));
  if (share_ == before) return;
  spdlog::debug("share = auto: {}", meaning_of(share_));
  changed_(share_);
}

}  // namespace tbs
