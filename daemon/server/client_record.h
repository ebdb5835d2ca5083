#pragma once

// A client as bytes, for a successor of this process: who it is, as the kernel told it when it
// connected, and what its hello led to.

#include <optional>

#include "daemon/server/client.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::server {

// Who has connected, without what the rules make of it.
struct PeerRecord {
  HighestRole highest = HighestRole::User;
  std::string tenant;  // whose socket it came through; empty: everybody's, or the administrators'
  Peer peer;           // without its socket's profile and its roles
};

proto::Buffer peer_record(const Peer& peer);
// Nothing when it makes no sense.
std::optional<PeerRecord> read_peer(proto::Bytes record);

// With whom the client is charged to since then.
proto::Buffer opened_record(const Client& client);
// Makes the client what it was; false when the record makes no sense.
bool read_opened(proto::Bytes record, Client& client);

}  // namespace tbs::server
