#pragma once

// The clients: one connection each, which is one context (or an observer). Turns frames into calls
// on the pump, and the pump's answers into frames.
//
// A connection goes through
//
//   Greeting -> Waiting (hello received, device not ready yet) -> Open
//
// and ends at once when it breaks the protocol: one log line, a Refusal, closed. Nothing else
// suffers.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/exec/guarded_engine.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/firmware/firmware_files.h"
#include "daemon/host/audit.h"
#include "daemon/policy/backlog.h"
#include "daemon/policy/command_filter.h"
#include "daemon/policy/limits.h"
#include "daemon/pump.h"
#include "daemon/server/connection.h"
#include "daemon/server/peer.h"

namespace tbs::server {

// What the administrator allows besides.
struct Permissions {
  bool everyone_reads_log = false;
  bool raw_contexts = false;  // to administrators
};

// What the clients' requests are about. All must outlive the server.
struct Dependencies {
  firmware::FirmwareFiles& firmware;
  exec::RawContextRouter& gate;
  const tpm::CommandTable& commands;  // the TPM's own; it may grow
  exec::GuardedEngine& lockout;       // asks the server's guard
};

class Server : public Connection::Owner {
 public:
  Server(boost::asio::io_context& io, Pump& pump, Dependencies dependencies);

  // What can be changed while running.
  void configure(const policy::Limits& limits, const AdministratorRule& administrators,
                 const Permissions& permissions);
  void set_rules(policy::Rules rules);
  // What the lockout guard knew before; `changed` is given it anew whenever it changes.
  void set_guard(const policy::LockoutLimits& limits, std::string_view known,
                 std::function<void(std::string)> changed);
  void learn_lockout(const tpm::Lockout& lockout) {
    command_filter_.guard().learn(lockout, wall_clock());
  }
  void set_guard_limits(const policy::LockoutLimits& limits) {
    command_filter_.guard().set_limits(limits);
  }

  void accept(Connection::Socket socket);
  // An answer of the pump; ignored when its client has gone.
  void deliver(sched::Answer answer);
  // The device became ready or failed: clients that wait for that are answered.
  void device_changed();
  // Closes every connection.
  void close_all();

  [[nodiscard]] std::size_t contexts() const { return contexts_; }

 private:
  enum class Stage : std::uint8_t { Greeting, Waiting, Open };

  struct Outstanding {
    std::size_t bytes = 0;
    std::uint32_t command = 0;  // its code, or that of the command it carries
    bool embedded = false;      // the latter
  };

  struct Client {
    std::shared_ptr<Connection> connection;
    Peer peer;
    Stage stage = Stage::Greeting;
    proto::Role role = proto::Role::Observer;
    std::uint64_t hello_id = 0;
    std::uint32_t wanted = 0;
    std::uint32_t last_priority = 0;
    std::uint64_t submitted = 0;
    std::unordered_map<std::uint64_t, Outstanding> outstanding;  // by request id
    std::size_t outstanding_bytes = 0;
    std::unique_ptr<boost::asio::steady_timer> greeting_deadline;
    // A question about the TPM that waits until the TPM has been started.
    std::optional<std::uint64_t> device_info_id;
    // Of what is outstanding, the one that revokes the attestation.
    std::optional<std::uint64_t> revoke_id;
    bool asks_firmware = false;  // a question to the machine is on the way

    [[nodiscard]] bool is_context() const {
      return stage == Stage::Open && role == proto::Role::Context;
    }
  };
  using Handler = void (Server::*)(Client&, const proto::Frame&);
  struct Route;

  void on_frame(Connection& connection, const proto::Frame& frame) override;
  void on_fault(Connection& connection, proto::FrameFault fault) override;
  void on_closed(Connection& connection) override;
  void on_drained(Connection& connection) override;
  [[nodiscard]] bool wants_more(const Connection& connection) const override;

  void handle_hello(Client& client, const proto::Frame& frame);
  void handle_submit(Client& client, const proto::Frame& frame);
  void handle_cancel(Client& client, const proto::Frame& frame);
  void handle_device_info(Client& client, const proto::Frame& frame);
  void handle_list_contexts(Client& client, const proto::Frame& frame);
  void handle_cancel_context(Client& client, const proto::Frame& frame);
  void handle_make_sticky(Client& client, const proto::Frame& frame);
  void handle_daemon_status(Client& client, const proto::Frame& frame);
  void handle_read_log(Client& client, const proto::Frame& frame);
  void handle_physical_presence(Client& client, const proto::Frame& frame);
  void handle_owner_auth(Client& client, const proto::Frame& frame);
  void handle_revoke_attestation(Client& client, const proto::Frame& frame);
  void handle_list_limits(Client& client, const proto::Frame& frame);
  void handle_lockout_status(Client& client, const proto::Frame& frame);
  void handle_lockout_reset(Client& client, const proto::Frame& frame);

  void start_greeting_deadline(Client& client);
  void answer_hello(Client& client);
  void answer_device_info(Client& client);
  void answer_revoke(Client& client, const sched::Answer& answer);
  template <typename Reply>
  auto machine_answer(Client& client, std::uint64_t request);
  [[nodiscard]] bool may_ask_machine(Client& client);
  [[nodiscard]] proto::Status admit(const Client& client) const;
  [[nodiscard]] bool wants_raw(const Client& client) const;
  void refuse(Client& client, proto::Status status, const std::string& reason);
  void drop(std::uint64_t id);
  void handle(Client& client, const proto::Frame& frame);
  // Answers what the rules or the guard do not let through, and says so.
  bool let_through(Client& client, std::uint64_t request_id, const proto::Submit& submit);
  // The guard's word on a command that is about to reach the TPM.
  exec::GuardedEngine::Verdict judge_authorization(ContextId context, proto::Bytes command);
  void note_failure(const Client& client, std::uint32_t command);
  void note_lockout(const Client& client, std::uint32_t command);
  void note_answer(const Client& client, const Outstanding& request, const sched::Answer& answer);
  static host::AuditFields fields_of(const Client& client);
  // Program, process and user, for the log.
  static std::string name_of(const Client& client);
  static std::uint64_t wall_clock();
  // To be called when what a client has waiting has changed.
  void update_backlog(Client& client);
  void resume_clients_of(UserId user);
  [[nodiscard]] std::size_t connections_allowed(const Peer& peer) const;
  [[nodiscard]] proto::ContextEntry describe(std::uint64_t id, const Client& client) const;

  boost::asio::io_context& io_;
  Pump& pump_;
  Dependencies dependencies_;
  TimePoint started_;
  policy::Limits limits_;
  AdministratorRule administrators_;
  Permissions permissions_;
  std::optional<std::uint64_t> raw_context_;
  // Ordered: listings go through it page by page.
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t last_id_ = 0;
  std::size_t contexts_ = 0;
  std::unordered_map<UserId, std::size_t> contexts_of_user_;
  std::unordered_map<UserId, std::size_t> connections_of_user_;
  policy::Backlog backlog_;
  policy::CommandFilter command_filter_;
  std::function<void(std::string)> guard_changed_ = [](const std::string&) {};
  std::uint64_t last_resumed_ = 0;
};

}  // namespace tbs::server
