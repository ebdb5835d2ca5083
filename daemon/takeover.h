#pragma once

// Brings the clients of the process before this one to the server, once the engine is what it was
// there: each with what it has outstanding, so that every command gets exactly one answer.
//
//   a command whose answer is on its way to the client: those bytes are sent
//   one that has ended, and whose answer was not on its way: it is answered now
//   the one that is under way on the TPM: it is answered when it ends
//   any other request: it is handled as if it came now, in the old order

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/pump.h"
#include "daemon/restart/left_record.h"
#include "daemon/restart/replay.h"
#include "daemon/sched/work.h"
#include "daemon/server/client_record.h"
#include "daemon/server/connection_manager.h"
#include "daemon/server/server.h"
#include "daemon/service_keeper.h"

namespace tbs {

// The descriptors that a predecessor has left of a service.
struct LeftDescriptors {
  int memory = -1;
  std::vector<device::KeptDescriptor> device;
  std::map<std::uint64_t, int> clients;

  [[nodiscard]] bool none() const { return memory < 0 && device.empty() && clients.empty(); }
};

class Takeover {
 public:
  // Which socket a client came through; null when it is no more.
  using Profiles = std::function<server::SharedProfile(const server::PeerRecord&)>;

  struct Parts {
    boost::asio::io_context& io;
    server::Server& server;
    server::ConnectionManager& connections;
    Pump& pump;
    ServiceKeeper& keeper;
  };
  // A command that has ended, though its answer may not be recorded.
  struct Ended {
    std::uint64_t order = 0;  // of its request
    SharedCommand command;
    exec::Done done;
  };

  // All parts must outlive it. `sockets` are those of the clients; what is of no use is closed.
  Takeover(const Parts& parts, restart::RecordProgress left, std::map<std::uint64_t, int> sockets)
      : parts_(parts), left_(std::move(left)), sockets_(std::move(sockets)) {}

  // The command that is under way.
  struct Running {
    std::uint64_t order = 0;
    SharedCommand command;
  };

  // Before the device goes on. Null: no client's command is under way.
  void bring_clients(const Profiles& profiles, std::vector<Ended> ended, const Running& running);
  // After that: their other requests, and what they have sent since.
  void go_on();

  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

 private:
  struct Request {
    std::uint64_t client;
    const restart::KeptRequest* kept;
    bool with_engine = false;  // which has it, or has ended it
  };

  void bring_client(std::uint64_t id, const restart::KeptClient& client, int socket,
                    const Profiles& profiles);
  void list_requests();
  // The server is told that the engine has it; false when its client does not wait for it.
  bool adopt_command(std::uint64_t order, const SharedCommand& command);
  void handle(const Request& request);

  Parts parts_;
  restart::RecordProgress left_;
  std::map<std::uint64_t, int> sockets_;
  std::map<std::uint64_t, server::ConnectionManager::Adopted> clients_;
  std::vector<Request> requests_;  // in their old order
  std::vector<Ended> ended_;
};

}  // namespace tbs
