#pragma once

// A context of libtbs for the connections of the bridge: one connection's own, or, with
// --persistent, the same for all. It is opened when the first command needs it, and again after its
// client switched the TPM off, or when the daemon came back after it had gone.
//
// One command is on its way at a time: the TPM runs one at a time anyway, and so a cancel concerns
// the command of the connection that it is meant for and no other.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/include/tbs/tbsx.h"
#include "client/tbsctl/bridge/helper_thread.h"
#include "client/tbsctl/bridge/reactor.h"
#include "client/tbsctl/bridge/saved_sessions.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::ctl::bridge {

struct TpmCommand {
  proto::Buffer bytes;
  std::uint32_t locality = 0;
};

// What the contexts of a bridge have in common.
struct TpmAccess {
  std::shared_ptr<Reactor> reactor;
  std::shared_ptr<HelperThread> helper;
  std::string socket;  // of tbsd; empty: the default
  std::uint32_t priority = TBS_COMMAND_PRIORITY_NORMAL;
  bool reopens = false;  // a command that meets a daemon that has gone is sent to the next
};

class TpmContext : public std::enable_shared_from_this<TpmContext> {
 public:
  // Success: there is a response; otherwise what became of the command.
  using Done = std::move_only_function<void(proto::Status status, proto::Buffer response)>;
  using Owner = const void*;

  explicit TpmContext(TpmAccess access) : access_(std::move(access)) {}
  ~TpmContext();
  TpmContext(const TpmContext&) = delete;
  TpmContext& operator=(const TpmContext&) = delete;

  // `done` is called once, later, from the loop, unless the owner withdraws or this ends before.
  void submit(Owner owner, TpmCommand command, Done done);
  // Cancels what the owner has submitted; it is told as for any command.
  void cancel(Owner owner);
  // The same for an owner that is not to be told any more.
  void withdraw(Owner owner);
  // Gives up what the context owns on the TPM, saved sessions included, after cancelling what is on
  // its way. What waits, and what comes, finds a context that owns nothing.
  void power_off();
  // Whoever uses it has seen that the TPM is started, and has not switched it off since.
  [[nodiscard]] bool started() const { return started_; }
  void note_started() { started_ = true; }

 private:
  enum class State : std::uint8_t { Closed, Opening, Open };
  struct Job {
    Owner owner;
    TpmCommand command;
    Done done;
    bool sent_again = false;
  };

  void advance();
  bool flushes_saved_session();
  void open();
  void on_opened(TBS_RESULT result, TBS_HCONTEXT handle);
  bool watch_results();
  void close();
  void fail_all(proto::Status why);
  void begin();
  void on_readable();
  void reopen();
  void finish(proto::Status status, proto::Buffer response);
  void cancel_current();

  TpmAccess access_;
  State state_ = State::Closed;
  TBS_HCONTEXT handle_ = nullptr;
  int poll_ = -1;
  TBSX_REQUEST request_ = 0;
  bool cancelling_ = false;  // nothing is begun meanwhile: the cancel must not meet it
  bool power_off_due_ = false;
  bool started_ = false;
  SavedSessions saved_sessions_;
  std::optional<Job> current_;
  std::deque<Job> waiting_;
};

}  // namespace tbs::ctl::bridge
