#pragma once

// Who may connect and who may have a context: the limits, and what each account has of them.
//
// Two kinds of places are kept free. Administrators have some of their own, which users never get.
// And the last of the users' places go to accounts that have few, so that a few accounts with many
// do not keep everybody else out.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/tally.h"
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
  // As many connections as there can be at all; those of administrators are among them.
  void set_most_connections(std::size_t most) { most_connections_ = most; }
  // Those that hold for this one.
  [[nodiscard]] const policy::Limits& limits_of(const Peer& peer) const {
    return peer.socket->limits ? *peer.socket->limits : limits_;
  }
  void set_tenants(std::vector<SharedProfile> tenants) { tenants_ = std::move(tenants); }
  [[nodiscard]] const std::vector<SharedProfile>& tenants() const { return tenants_; }
  [[nodiscard]] const Permissions& permissions() const { return permissions_; }

  // Counts the connection; false when there are too many. Each is given back by leave().
  bool enter(const Peer& peer);
  void leave(AccountId account);

  // Whether the client gets what its hello asks for.
  [[nodiscard]] proto::Status admit(const Client& client) const;
  // Counts the context of one who was admitted; true when it has the TPM to itself.
  bool open(const Client& client);
  void close(const Client& client);

  [[nodiscard]] const Tally<AccountId>& connections() const { return connections_.all; }
  [[nodiscard]] const Tally<AccountId>& contexts() const { return contexts_.all; }

 private:
  struct Places {
    Tally<AccountId> all;
    std::size_t of_administrators = 0;

    void take(AccountId account);
    void give_back(AccountId account);
    // Whether there is one more, of so many for users together.
    [[nodiscard]] bool free_for(AccountId account, std::size_t for_users) const;
  };

  [[nodiscard]] bool may_connect(const Peer& peer) const;
  [[nodiscard]] bool wants_raw(const Client& client) const;

  const CommandSink& sink_;
  Audit& audit_;
  policy::Limits limits_;
  Permissions permissions_;
  std::vector<SharedProfile> tenants_;
  std::size_t most_connections_ = SIZE_MAX;
  Places connections_;
  Places contexts_;
  std::optional<std::uint64_t> raw_context_;
};

}  // namespace tbs::server
