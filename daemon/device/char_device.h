#pragma once

// The kernel's node of a TPM, /dev/tpm0. While a command runs, the kernel holds a lock under which
// any read, write, poll or epoll_ctl of the descriptor blocks the calling thread until the command
// ends. So the rules here are:
//
// - The wait for readability is armed before the command is written, in one plain write; after it
//   the descriptor is not touched until the wake-up comes, which is when the lock is free again.
// - Whether a command runs is known from a flag here: poll says "writable" all the time.
// - An error of a command comes with the read; a read of nothing means that the response was lost.
// - The descriptor is closed in a thread, since close waits for the command that runs.
//   Taking it out of the event loop before is harmless: EPOLL_CTL_DEL does not ask the driver.
// - The sysfs attribute `cancel` (TPM 1.2 only) is written in a thread, too, and the next command
//   waits until that write has returned, or else an old kernel would cancel that one.
// - A node that was adopted comes into the event loop after the first command on it, which a helper
//   thread does as a whole (device/node_exchange): before, something may run on it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "daemon/device/node_exchange.h"
#include "daemon/device/notice.h"
#include "daemon/device/response_memory.h"
#include "daemon/device/transceiver.h"
#include "daemon/loop/blocking_calls.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class CharDevice final : public Transceiver {
 public:
  // A node that was opened non-blocking, or the errno value that says why not.
  struct Node {
    int descriptor = -1;
    dev_t number = 0;
    int error = 0;
  };

  struct Options {
    std::string path;  // empty: find_tpm() chooses, at each open()
    std::string sysfs = "/sys";
    std::string dev = "/dev";
    std::string proc = "/proc";
    std::function<Node(const std::string& path)> opener;  // empty: open(2)
    // What an inherited descriptor is: the number, or an error. Empty: fstat(2).
    std::function<Node(int descriptor)> inspector;
  };

  CharDevice(boost::asio::io_context& loop, Options options, Notice notice);
  ~CharDevice() override;
  CharDevice(const CharDevice&) = delete;
  CharDevice& operator=(const CharDevice&) = delete;

  void keep_in(ResponseMemory* memory) override { memory_ = memory; }
  [[nodiscard]] std::vector<KeptDescriptor> kept() const override;
  void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) override;
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
              ResponseHandler handler) override;
  void open(OpenHandler handler) override;
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                ResponseHandler handler) override;
  void cancel() override;
  void close(CloseHandler handler) override;
  // The node's path; "auto" until one was found.
  [[nodiscard]] std::string_view name() const override { return path_; }

 private:
  struct AdoptedNode;

  // False when there is no TPM to open.
  bool choose_path();
  void refuse_open(const Node& node, OpenHandler handler);
  Facts learn_facts(dev_t number);

  // What the predecessor has left of the response: false when there is nothing.
  bool deliver_kept();
  void exchange(std::span<const std::uint8_t> command, bool may_be_sent);
  void on_exchanged(const std::expected<std::size_t, NodeFailure>& result);
  // The response that has come, of so many bytes.
  void deliver_later(std::size_t size);
  // False, with the response handler told, when it cannot be taken into the loop.
  bool take_into_loop();

  void send(std::span<const std::uint8_t> command);
  void arm();
  void on_readable();
  [[nodiscard]] std::span<std::uint8_t> response_space();
  void fail_command(Failure failure);
  void on_cancel_written(int error);
  [[nodiscard]] Failure failure(const char* verb, int error) const;

  Options options_;
  std::string path_;
  Notice notice_;
  loop::Deferred deferred_;  // handlers owed to the caller
  loop::Deferred wait_;      // the wait for the response that is due
  loop::BlockingCalls blocking_;
  loop::BlockingCalls exchanges_;  // on the adopted node, and its close
  boost::asio::posix::stream_descriptor node_;
  std::shared_ptr<AdoptedNode> adopted_;  // until it is in the loop, in place of node_
  std::vector<std::uint8_t> buffer_;      // for responses that are not kept
  ResponseMemory* memory_ = nullptr;

  ResponseHandler response_handler_;
  bool in_flight_ = false;          // the kernel has a command whose response was not read
  std::vector<std::uint8_t> held_;  // a command that waits for the cancel attribute
  std::string cancel_path_;
  bool cancel_writing_ = false;
  int cancel_error_ = 0;  // the last one reported
};

}  // namespace tbs::device
