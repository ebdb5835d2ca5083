#include "daemon/takeover.h"

#include <algorithm>

#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include "daemon/server/client_record.h"
#include "proto/frame.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs {
namespace {

using server::Connection;

// Calls `use` with the frame, which these bytes are.
template <typename Use>
void with_frame(proto::Bytes bytes, const Use& use) {
  proto::FrameExtractor extractor(proto::Direction::ToDaemon);
  while (!bytes.empty()) {
    const auto room = extractor.writable();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(count), room.begin());
    extractor.commit(count);
    bytes = bytes.subspan(count);
  }
  const auto frame = extractor.next();
  if (frame && *frame) use(**frame);
}

// As the runner answers it (sched/runner).
proto::Status status_of(const exec::Done& done) {
  const auto header = proto::read_tpm_header(done.response);
  const bool canceled = header && header->code == tpm::rc::kCanceled;
  return canceled ? proto::Status::CommandCanceled : done.status;
}

}  // namespace

void Takeover::bring_clients(const Profiles& profiles, std::vector<Ended> ended,
                             const Running& running) {
  for (const auto& [id, client] : left_.clients.all()) {
    const auto socket = sockets_.find(id);
    if (socket == sockets_.end()) {
      parts_.keeper.gone(id);
    } else {
      bring_client(id, client, std::exchange(socket->second, -1), profiles);
    }
  }
  // What one who has gone was told must never be taken for another one's.
  parts_.connections.skip_ids(left_.clients.last());
  for (const auto& [id, socket] : sockets_) {
    if (socket < 0) continue;
    ::close(socket);
    parts_.keeper.gone(id);
  }
  list_requests();
  if (running.command != nullptr) adopt_command(running.order, running.command);
  for (Ended& one : ended) {
    if (adopt_command(one.order, one.command)) ended_.push_back(std::move(one));
  }
}

void Takeover::bring_client(std::uint64_t id, const restart::KeptClient& client, int socket,
                            const Profiles& profiles) {
  Connection::Socket taken(parts_.io);
  boost::system::error_code error;
  taken.assign(boost::asio::local::stream_protocol(), socket, error);
  auto peer = server::read_peer(client.peer);
  const server::SharedProfile profile = peer ? profiles(*peer) : nullptr;
  if (error || profile == nullptr) {
    if (error) ::close(socket);
    parts_.keeper.gone(id);
    return;
  }
  peer->peer.socket = profile;
  parts_.keeper.adopted(id, socket);
  auto adopted =
      parts_.connections.adopt(std::move(taken), id, std::move(peer->peer), client.opened,
                               {.input = client.input.bytes(), .output = client.output.bytes()});
  if (adopted) clients_.emplace(id, *std::move(adopted));
}

void Takeover::list_requests() {
  for (const auto& [id, adopted] : clients_) {
    for (const restart::KeptRequest& request : left_.clients.find(id)->requests) {
      requests_.push_back({.client = id, .kept = &request});
    }
  }
  std::ranges::sort(requests_, {}, [](const Request& one) { return one.kept->order; });
}

bool Takeover::adopt_command(std::uint64_t order, const SharedCommand& command) {
  const auto client = static_cast<std::uint64_t>(command->context());
  const auto request = std::ranges::find_if(requests_, [&](const Request& one) {
    return one.client == client && one.kept->order == order && !one.with_engine;
  });
  if (request == requests_.end()) return false;
  request->with_engine = true;
  with_frame(request->kept->frame, [&](const proto::Frame& frame) {
    parts_.server.adopt_command(client, frame.type, command);
  });
  return true;
}

void Takeover::go_on() {
  for (Ended& one : ended_) {
    parts_.server.deliver({.context = one.command->context(),
                           .request = one.command->request(),
                           .status = status_of(one.done),
                           .response = std::move(one.done.response)});
  }
  // Before requests that end it, and commands that wait for that.
  parts_.server.adopt_handover(left_.handover);
  for (const Request& request : requests_) handle(request);
  for (const std::uint64_t context : left_.contexts) {
    if (!clients_.contains(context)) parts_.pump.close_context(ContextId{context});
  }
  for (const auto& [id, adopted] : clients_) adopted.link->start(adopted.account);
}

void Takeover::handle(const Request& request) {
  if (request.with_engine) return;
  with_frame(request.kept->frame,
             [&](const proto::Frame& frame) { parts_.server.on_frame(request.client, frame); });
}

}  // namespace tbs
