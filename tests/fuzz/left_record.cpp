// What a predecessor has left of its clients, from bytes that anybody could have written.

#include "daemon/restart/left_record.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/server/client_record.h"

using namespace tbs;

namespace {

// Entries lie at multiples of eight bytes.
proto::Buffer aligned(proto::Bytes bytes) {
  proto::Buffer copy(bytes.begin(), bytes.end());
  copy.resize(bytes.size() / restart::kJournalAlignment * restart::kJournalAlignment);
  return copy;
}

void read_clients(const restart::KeptClients& clients) {
  for (const auto& [id, client] : clients.all()) {
    static_cast<void>(server::read_peer(client.peer));
    server::Client opened;
    if (!client.opened.empty()) static_cast<void>(server::read_opened(client.opened, opened));
    for (const restart::KeptRequest& request : client.requests) {
      if (request.order == 0 || request.frame.size() < proto::kFrameHeaderSize) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const proto::Bytes bytes(data, size);
  const proto::Buffer entries = aligned(bytes);
  if (const auto left = restart::read_record(restart::JournalEntries(entries))) {
    read_clients(left->progress.clients);
  }
  static_cast<void>(server::read_peer(bytes));
  server::Client client;
  static_cast<void>(server::read_opened(bytes, client));
  return 0;
}
