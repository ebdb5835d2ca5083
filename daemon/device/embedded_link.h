#pragma once

// One life of the embedded TPM's process, seen from the daemon: from its start to its end, with at
// most one command in between. It dies once; whatever goes wrong (the socket ends, a frame makes no
// sense, the process is killed) takes the same way: let it go or kill it, reap it, then tell
// whoever waits, with the reason and the exit status in one failure.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/child_frame.h"
#include "daemon/device/child_process.h"
#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class EmbeddedLink : public std::enable_shared_from_this<EmbeddedLink> {
 public:
  EmbeddedLink(boost::asio::io_context& loop, std::unique_ptr<ChildProcess> child, Facts facts);

  // Waits for the child's first frame. Call it once, first.
  void start(Transceiver::OpenHandler handler);
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                Transceiver::ResponseHandler handler);
  void cancel();
  // Called when the child is gone and nobody waits for anything.
  void on_loss(Transceiver::LossHandler handler) { loss_handler_ = std::move(handler); }
  // Whether this life is over: the child is reaped.
  [[nodiscard]] bool ended() const { return exited_; }
  // Ends the child: by the end of the socket, and by force if it does not go in time.
  void close(Transceiver::CloseHandler handler);
  // Drops all handlers and kills the child; the owner goes away.
  void abandon();

 private:
  void receive();
  void on_received(proto::Bytes bytes);
  void on_frame(const ChildFrame& frame);
  void on_ready();
  void on_response(const ChildFrame& frame);
  void lose(std::string reason, std::string advice = {});
  void lose_with_advice(const std::string& text);
  void on_exit(const std::string& status);
  void fail_waiting(const Failure& failure);
  void tell_closed();
  void end_child();

  loop::Deferred deferred_;
  std::unique_ptr<ChildProcess> child_;
  Facts facts_;
  boost::asio::steady_timer timer_;  // for the first frame, then for the end
  ChildFrameAssembler assembler_;
  std::vector<std::uint8_t> receive_buffer_;
  proto::Buffer outgoing_;
  std::uint32_t sequence_ = 0;
  std::optional<Failure> lost_;  // set once, when the child is of no more use
  bool exited_ = false;
  Transceiver::OpenHandler open_handler_;
  Transceiver::ResponseHandler response_handler_;
  std::vector<Transceiver::CloseHandler> close_handlers_;
  Transceiver::LossHandler loss_handler_;
};

}  // namespace tbs::device
