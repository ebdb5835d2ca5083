#pragma once

// The bridge itself: listens, makes connections, and knows which of them belong to one program.
//
// The second channel of a protocol says nothing about the first: what comes there concerns the
// connections of the same process, as far as the kernel tells which one that is, and else those of
// the same user whose process is not known. With `persistent` all connections count as one
// program's.

#include <memory>
#include <ostream>
#include <unordered_map>
#include <vector>

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/bridge/bridge_options.h"
#include "client/tbsctl/bridge/connection.h"

namespace tbs::ctl::bridge {

class Bridge : private Host {
 public:
  Bridge(const BridgeOptions& options, std::string daemon_socket, std::ostream& log);
  ~Bridge() override;
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Where it listens, the command channel first; or why it cannot. Sockets that it is handed over
  // take the place of those that the options name, in the same order.
  std::expected<std::vector<Address>, std::string> listen(std::vector<Listening> inherited);
  // Until SIGINT or SIGTERM; a second one ends the process at once.
  void run();

 private:
  // A process, or what is left to tell programs apart by.
  using ProgramId = std::uint64_t;
  struct Listener {
    Listening listening;
    MakeFraming make_framing;
    std::size_t connections = 0;
    bool paused = false;
  };
  struct Entry {
    std::shared_ptr<Connection> connection;
    std::size_t listener;
    std::optional<ProgramId> program;
  };

  Reactor& reactor() override { return *access_.reactor; }
  void cancel_for(Connection& of) override;
  void power_off_for(Connection& of) override;
  Program* known_program(Connection& of) override;
  Program& program(Connection& of) override { return programs_[program_of(of)]; }
  void ended(Connection& gone, const std::string& why) override;

  std::expected<void, std::string> listen_at_options();
  std::expected<void, std::string> listen_at_both(const Address& first);
  std::expected<void, std::string> listen_on(const Address& address, MakeFraming make_framing);
  std::expected<void, std::string> take_over(std::vector<Listening> inherited);
  std::expected<void, std::string> check_reach(const Address& address) const;
  void serve(Listening listening, MakeFraming make_framing);
  void accept_on(std::size_t index);
  void resume(std::size_t index);
  ProgramId program_of(Connection& connection);
  void forget_programs();

  const BridgeOptions options_;
  std::ostream& log_;
  TpmAccess access_;
  std::shared_ptr<TpmContext> shared_;  // with `persistent`
  client::Descriptor signals_;
  std::vector<Listener> listeners_;
  std::unordered_map<Connection*, Entry> connections_;
  std::unordered_map<ProgramId, Program> programs_;
};

}  // namespace tbs::ctl::bridge
