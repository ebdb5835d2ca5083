#include "daemon/restart/service_record.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tbs::restart {
namespace {

// A log may become half as long as what it follows, but never needs to be shorter than this.
// Telling an engine so much again takes some 10 ms, and both halves fit a processor's cache.
constexpr std::size_t kShortLog = std::size_t{512} << 10;

}  // namespace

// The numbers are for this machine alone, so they are as it has them.
void ServiceRecord::add(EntryKind kind, std::initializer_list<std::uint64_t> numbers,
                        proto::Bytes bytes) {
  const proto::Bytes head(reinterpret_cast<const std::uint8_t*>(numbers.begin()),
                          numbers.size() * sizeof(std::uint64_t));
  journal_.append(static_cast<std::uint16_t>(kind), {head, bytes});
}

void ServiceRecord::add_input(InputKind kind, proto::Bytes bytes) {
  journal_.append(static_cast<std::uint16_t>(kFirstInput + static_cast<std::uint16_t>(kind)),
                  bytes);
}

void ServiceRecord::append(const Input& input) {
  add_input(input.kind, input.bytes);
  progress_.told(input);
}

void ServiceRecord::connected(std::uint64_t id, proto::Bytes peer) {
  add(EntryKind::Connected, {id}, peer);
  progress_.clients.connected(id, peer);
}

void ServiceRecord::opened(std::uint64_t id, proto::Bytes how) {
  add(EntryKind::Opened, {id}, how);
  progress_.clients.opened(id, how);
}

void ServiceRecord::received(std::uint64_t id, std::uint64_t transfer, proto::Bytes bytes) {
  add(EntryKind::Received, {id, transfer}, bytes);
  progress_.clients.received(id, bytes);
  progress_.transfer = transfer;
}

void ServiceRecord::handled(std::uint64_t id, std::size_t size) {
  add(EntryKind::Handled, {id, size});
  progress_.clients.handled(id, size);
}

void ServiceRecord::queued(std::uint64_t id, proto::Bytes frames) {
  add(EntryKind::Queued, {id}, frames);
  progress_.clients.queued(id, frames);
}

void ServiceRecord::sent(std::uint64_t id, std::uint64_t transfer, std::size_t size) {
  add(EntryKind::Sent, {id, transfer, size});
  progress_.clients.sent(id, size);
  progress_.transfer = transfer;
}

void ServiceRecord::gone(std::uint64_t id) {
  if (!progress_.clients.gone(id)) return;
  add(EntryKind::Gone, {id});
}

void ServiceRecord::credit(proto::Bytes credit) {
  add(EntryKind::Credit, {}, credit);
  progress_.credit.assign(credit.begin(), credit.end());
}

void ServiceRecord::handed_over(proto::Bytes whom) {
  add(EntryKind::HandedOver, {}, whom);
  progress_.handover.assign(whom.begin(), whom.end());
}

std::uint64_t ServiceRecord::sending() {
  add(EntryKind::Sending, {++progress_.sending});
  commit();
  return progress_.sending;
}

void ServiceRecord::commit() {
  static_cast<void>(journal_.commit());
}

// Before it is full, however large the state is: while it is, nobody could go on from it.
bool ServiceRecord::wants_compaction() const {
  const std::size_t long_log = at_compaction_ + at_compaction_ / 2 + kShortLog;
  const std::size_t half_of_room = at_compaction_ + (journal_.capacity() - at_compaction_) / 2;
  return !restorable() || journal_.used() > std::min(long_log, half_of_room);
}

std::span<std::uint8_t> ServiceRecord::spare() const {
  const std::span<std::uint8_t> unused = journal_.unused();
  const std::size_t kept = at_compaction_ > kShortLog ? 0 : kShortLog;
  return unused.subspan(std::min(unused.size(), kept));
}

bool ServiceRecord::compact(const Snapshot& snapshot) {
  journal_.compact();
  add(EntryKind::EngineState, {}, snapshot.state);
  for (const Snapshot::Entry& input : snapshot.inputs) add_input(input.kind, input.bytes);
  for (const std::uint64_t context : progress_.contexts) add(EntryKind::Context, {context});
  add(EntryKind::Sending, {progress_.sending});
  add(EntryKind::Transfer, {progress_.transfer});
  add(EntryKind::LastClient, {progress_.clients.last()});
  if (!progress_.credit.empty()) add(EntryKind::Credit, {}, progress_.credit);
  if (!progress_.handover.empty()) add(EntryKind::HandedOver, {}, progress_.handover);
  add_clients();
  add(EntryKind::Settled, {});
  at_compaction_ = journal_.used();
  compacted_ = journal_.commit();
  return compacted_;
}

void ServiceRecord::add_clients() {
  struct Unanswered {
    std::uint64_t client;
    const KeptRequest* request;
  };
  std::vector<Unanswered> requests;
  for (const auto& [id, client] : progress_.clients.all()) {
    add(EntryKind::Connected, {id}, client.peer);
    if (!client.opened.empty()) add(EntryKind::Opened, {id}, client.opened);
    if (client.input.size() > 0)
      add(EntryKind::Received, {id, progress_.transfer}, client.input.bytes());
    if (client.output.size() > 0) add(EntryKind::Unsent, {id}, client.output.bytes());
    for (const KeptRequest& request : client.requests) requests.push_back({id, &request});
  }
  std::ranges::sort(requests, {}, [](const Unanswered& one) { return one.request->order; });
  for (const Unanswered& one : requests) {
    add(EntryKind::Unanswered, {one.client, one.request->order}, one.request->frame);
  }
}

}  // namespace tbs::restart
