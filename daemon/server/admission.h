#pragma once

// Who may connect and who may have a context: the limits, and what each user has of them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/policy/limits.h"
#include "daemon/server/audit.h"
#include "daemon/server/client.h"
#include "daemon/server/command_sink.h"
#include "proto/status.h"

namespace tbs::server {

// What the administrator allows besides.
struct Permissions {
  bool everyone_reads_log = false;
  bool raw_contexts = false;  // to administrators
};

class Admission {
 public:
  // Both must outlive it.
  Admission(const CommandSink& sink, Audit& audit) : sink_(sink), audit_(audit) {}

  void configure(const policy::Limits& limits, const Permissions& permissions) {
    limits_ = limits;
    permissions_ = permissions;
  }
  [[nodiscard]] const policy::Limits& limits() const { return limits_; }
  // Those that hold for this one.
  [[nodiscard]] const policy::Limits& limits_of(const Peer& peer) const {
    return peer.socket->limits ? *peer.socket->limits : limits_;
  }
  void set_tenants(std::vector<SharedProfile> tenants) { tenants_ = std::move(tenants); }
  [[nodiscard]] const std::vector<SharedProfile>& tenants() const { return tenants_; }
  [[nodiscard]] const Permissions& permissions() const { return permissions_; }

  // Counts the connection; false when there are too many. Each is given back by leave().
  bool enter(const Peer& peer);
  void leave(const Peer& peer);

  // Whether the client gets what its hello asks for.
  [[nodiscard]] proto::Status admit(const Client& client) const;
  // Counts the context of one who was admitted; true when it has the TPM to itself.
  bool open(const Client& client);
  void close(const Client& client);

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t contexts() const { return contexts_; }
  // Users of whom something is counted.
  [[nodiscard]] std::size_t users() const { return users_.size(); }

 private:
  struct Account {
    std::size_t connections = 0;
    std::size_t contexts = 0;
  };

  [[nodiscard]] std::size_t connections_allowed(const Peer& peer) const;
  [[nodiscard]] std::size_t contexts_of(UserId user) const;
  [[nodiscard]] bool wants_raw(const Client& client) const;

  const CommandSink& sink_;
  Audit& audit_;
  policy::Limits limits_;
  Permissions permissions_;
  std::vector<SharedProfile> tenants_;
  std::unordered_map<UserId, Account> users_;
  std::size_t connections_ = 0;
  std::size_t contexts_ = 0;
  std::optional<std::uint64_t> raw_context_;
};

}  // namespace tbs::server
