#include "daemon/server/client_record.h"

#include <algorithm>
#include <utility>

#include "daemon/base/record.h"

namespace tbs::server {
namespace {

constexpr RecordPart kPeer{.name = "peer", .version = 1};
// Version 2 has the token.
constexpr RecordPart kOpened{.name = "opened", .version = 2};

template <typename Record>
void peer_fields(Record& record, PeerRecord& found) {
  Peer& peer = found.peer;
  rules::Subject& subject = peer.subject;
  std::int32_t pid = peer.pid;
  record.choice(found.highest, HighestRole::Administrator);
  record(found.tenant, peer.principal, pid, subject.uid, subject.gids, subject.unit, subject.cgroup,
         peer.program);
  if (Record::kReads) peer.pid = pid;
}

template <typename Record>
void opened_fields(Record& record, Client& client) {
  record.choice(client.role, proto::Role::Observer);
  record(client.wanted, client.earlier_connections, client.peer.principal);
}

}  // namespace

proto::Buffer peer_record(const Peer& peer) {
  proto::Buffer bytes;
  RecordWriter record(bytes);
  record.part(kPeer);
  PeerRecord kept{.highest = peer.socket->highest, .tenant = peer.socket->tenant, .peer = peer};
  peer_fields(record, kept);
  return bytes;
}

std::optional<PeerRecord> read_peer(proto::Bytes record) {
  RecordReader reader(record);
  reader.part(kPeer);
  PeerRecord found;
  peer_fields(reader, found);
  reader.end();
  if (!reader.ok()) return std::nullopt;
  return found;
}

proto::Buffer opened_record(const Client& client) {
  proto::Buffer bytes;
  RecordWriter record(bytes);
  record.part(kOpened);
  Client kept;
  kept.role = client.role;
  kept.wanted = client.wanted;
  kept.earlier_connections = client.earlier_connections;
  kept.peer.principal = client.peer.principal;
  opened_fields(record, kept);
  record.bytes(client.token);
  return bytes;
}

bool read_opened(proto::Bytes record, Client& client) {
  RecordReader reader(record);
  const std::uint16_t version = reader.part(kOpened);
  opened_fields(reader, client);
  if (version >= 2) {
    const proto::Bytes token = reader.bytes();
    reader.require(token.size() == client.token.size(), "a token has another size");
    if (reader.ok()) std::ranges::copy(token, client.token.begin());
  }
  reader.end();
  return reader.ok();
}

}  // namespace tbs::server
