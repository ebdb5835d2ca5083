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

#include "daemon/exec/raw_gate.h"
#include "daemon/machine/machine.h"
#include "daemon/pump.h"
#include "daemon/server/connection.h"
#include "daemon/server/peer.h"

namespace tbs::server {

struct Limits {
  std::size_t connections = 1088;  // contexts and observers together
  std::size_t contexts = 1024;
};

// What the administrator allows besides.
struct Permissions {
  bool everyone_reads_log = false;
  bool raw_contexts = false;  // to administrators
};

// What the clients' requests are about. All must outlive the server.
struct Parts {
  machine::Machine& machine;
  exec::RawGate& gate;
};

class Server : public Connection::Owner {
 public:
  Server(boost::asio::io_context& io, Pump& pump, Parts parts);

  // What can be changed while running.
  void configure(const Limits& limits, const AdministratorRule& administrators,
                 const Permissions& permissions);

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

  struct Client {
    std::shared_ptr<Connection> connection;
    Peer peer;
    Stage stage = Stage::Greeting;
    proto::Role role = proto::Role::Observer;
    std::uint64_t hello_id = 0;
    std::uint32_t wanted = 0;
    std::uint32_t last_priority = 0;
    std::uint64_t submitted = 0;
    std::unordered_map<std::uint64_t, std::size_t> outstanding;  // request id -> bytes
    std::size_t outstanding_bytes = 0;
    std::unique_ptr<boost::asio::steady_timer> greeting_deadline;
    // A question about the TPM that waits until the TPM has been started.
    std::optional<std::uint64_t> device_info_id;
    // Of what is outstanding, the one that revokes the attestation.
    std::optional<std::uint64_t> revoke_id;
    bool asks_machine = false;  // a question to the machine is on the way

    [[nodiscard]] bool is_context() const {
      return stage == Stage::Open && role == proto::Role::Context;
    }
  };
  using Handler = void (Server::*)(Client&, const proto::Frame&);
  struct Route;

  void on_frame(Connection& connection, const proto::Frame& frame) override;
  void on_fault(Connection& connection, proto::FrameFault fault) override;
  void on_closed(Connection& connection) override;

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
  [[nodiscard]] proto::ContextEntry describe(std::uint64_t id, const Client& client) const;

  boost::asio::io_context& io_;
  Pump& pump_;
  Parts parts_;
  TimePoint started_;
  Limits limits_;
  AdministratorRule administrators_;
  Permissions permissions_;
  std::optional<std::uint64_t> raw_context_;
  // Ordered: listings go through it page by page.
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t last_id_ = 0;
  std::size_t contexts_ = 0;
};

}  // namespace tbs::server
