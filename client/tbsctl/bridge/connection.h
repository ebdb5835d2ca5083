#pragma once

// One connection of a client: reads what it sends through its framing, does one thing after the
// other, and writes the answers. While a command is under way, or an answer is not taken, nothing
// is read, so that a client can make the bridge hold one frame and one answer at most.

#include <functional>
#include <memory>
#include <string>

#include "client/descriptor.h"
#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/program.h"
#include "client/tbsctl/bridge/tpm_context.h"

namespace tbs::ctl::bridge {

class Connection;

// What a connection needs of the bridge.
class Host {
 public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  virtual Reactor& reactor() = 0;
  // The program at the other end of `of` wants its commands cancelled.
  virtual void cancel_for(Connection& of) = 0;
  // It switches its TPM off.
  virtual void power_off_for(Connection& of) = 0;
  // The program itself; null as long as nobody has asked to change what is known of it.
  virtual Program* known_program(Connection& of) = 0;
  virtual Program& program(Connection& of) = 0;
  // `gone` has ended and must not be used any more; `why` is for the log, empty for a usual end.
  virtual void ended(Connection& gone, const std::string& why) = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(client::Descriptor socket, std::unique_ptr<Framing> framing,
             std::shared_ptr<TpmContext> context, Host& host);

  // Begins to read.
  void start();
  // Cancels the command that is under way, if there is one.
  void cancel();
  // Gives up what the client owns on the TPM.
  void power_off() { context_->power_off(); }
  [[nodiscard]] int socket() const { return socket_.get(); }

 private:
  void on_events(std::uint32_t events);
  bool read_some();
  void process();
  bool grant(Wish& wish);
  void execute(const Execute& wish);
  void adapt(proto::Buffer& response);
  void on_done(proto::Status status, proto::Buffer response);
  void answer(const proto::Buffer& bytes);
  bool flush();
  void on_half_closed();
  void watch_departure();
  void update_interest();
  void end(const std::string& why = {});

  client::Descriptor socket_;
  std::unique_ptr<Framing> framing_;
  std::shared_ptr<TpmContext> context_;
  Host& host_;

  proto::Buffer command_;  // under way, while busy_
  bool busy_ = false;
  bool half_closed_ = false;  // the client sends nothing more
  bool ended_ = false;
  proto::Buffer output_;
  std::size_t written_ = 0;
  std::uint32_t interest_ = 0;
};

}  // namespace tbs::ctl::bridge
