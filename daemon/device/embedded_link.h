#pragma once

// One life of the embedded TPM's process, seen from the daemon: from its start, or from where a
// predecessor has left it, to its end, with at most one command in between. What goes through the
// socket is counted in memory that a successor has (device/response_memory).
// It dies once; whatever goes wrong (the socket ends, a frame makes no
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
#include "daemon/device/kept_descriptor.h"
#include "daemon/device/response_memory.h"
#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

// The names of what kept() has.
inline constexpr const char* kChildSocketName = "socket";
inline constexpr const char* kChildProcessName = "process";

class EmbeddedLink : public std::enable_shared_from_this<EmbeddedLink> {
 public:
  // The memory has its record (device/embedded_record), and outlives this object.
  EmbeddedLink(boost::asio::io_context& loop, std::unique_ptr<ChildProcess> child, Facts facts,
               ResponseMemory& memory);

  // Waits for the child's first frame. Call one of these two, once, first.
  void start(Transceiver::OpenHandler handler);
  // It was ready before.
  void go_on();
  // Nothing while it is not ready.
  [[nodiscard]] std::vector<KeptDescriptor> kept();
  // What the predecessor was about.
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
              Transceiver::ResponseHandler handler);
  // As abandon(), but the child lives on.
  void leave_behind();
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                Transceiver::ResponseHandler handler);
  void cancel();
  // Called when the child is gone and nobody waits for anything.
  void on_loss(Transceiver::LossHandler handler) { loss_handler_ = std::move(handler); }
  // Whether this life is over: the child is reaped.
  [[nodiscard]] bool ended() const { return exited_; }
  // Ends the child: by the end of the socket, and by force if it does not go in time.
  void close(Transceiver::CloseHandler handler);
  // The same, and has the TPM's state saved before, if the child is idle.
  void save_and_close(Transceiver::CloseHandler handler);
  // Drops all handlers and kills the child; the owner goes away.
  void abandon();

 private:
  void watch_exit();
  void send();
  void receive();
  void on_readable();
  // Looks at what has come and was not looked at.
  void look_at_frames();
  void on_frame(const ChildFrameView& frame);
  void on_ready();
  void on_response(const ChildFrameView& frame);
  // Whether all of the response to the last command is there.
  [[nodiscard]] bool response_is_complete() const;
  // False, with the handler told, when this life is over.
  bool take_handler(Transceiver::ResponseHandler handler);
  void next_sequence();
  void lose(std::string reason, std::string advice = {});
  void lose_with_advice(const std::string& text);
  void on_exit(const std::string& status);
  void fail_waiting(const Failure& failure);
  void begin_end();
  void tell_closed();
  void end_child();

  loop::Deferred deferred_;
  std::unique_ptr<ChildProcess> child_;
  Facts facts_;
  boost::asio::steady_timer timer_;  // for the first frame, then for the end
  ResponseMemory& memory_;
  std::size_t looked_at_ = 0;             // of the bytes that have come
  std::optional<proto::Bytes> response_;  // when it has come, until it is told
  proto::Buffer outgoing_;
  std::uint32_t sequence_ = 0;
  bool from_predecessor_ = false;  // what comes belongs to a command that nobody has resumed yet
  bool unfinished_ = false;        // and not all of it was there
  std::optional<Failure> lost_;    // set once, when the child is of no more use
  bool exited_ = false;
  Transceiver::OpenHandler open_handler_;
  Transceiver::ResponseHandler response_handler_;
  std::vector<Transceiver::CloseHandler> close_handlers_;
  Transceiver::LossHandler loss_handler_;
};

}  // namespace tbs::device
