#include "daemon/service_keeper.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>

#include <spdlog/spdlog.h>

#include "daemon/base/record.h"
#include "daemon/host/left_name.h"
#include "daemon/restart/entry_kind.h"
#include "daemon/server/client_record.h"
#include "version.h"

namespace tbs {
namespace {

using restart::Journal;
using restart::JournalHeading;
using restart::ServiceRecord;
using restart::SocketTransfer;
using restart::StateMemory;

// Where everything is in the memory. What the kernel writes has pages of its own.
constexpr std::size_t kTransferPlace = 0;
constexpr std::size_t kAttemptsPlace = 1024;
constexpr std::size_t kRestartsPlace = kAttemptsPlace + sizeof(std::uint64_t);
constexpr std::size_t kResponsePlace = 4096;
constexpr std::size_t kReceivePlace = kResponsePlace + device::ResponseMemory::kSize;
constexpr std::size_t kReceiveSize = std::size_t{64} << 10;
constexpr std::size_t kJournalPlace = kReceivePlace + kReceiveSize;
// A page takes memory when it is written first. The state of a thousand clients with three keys
// each takes some 6 MiB.
constexpr std::size_t kMemorySize = std::size_t{128} << 20;

// A state that ends its process while that takes it up must not do so for ever.
constexpr std::uint64_t kMostAttempts = 5;

// What does not fit takes long to be written.
constexpr std::chrono::seconds kPauseWhenFull{1};
// A restart forgets no more of how the TPM's time was shared.
constexpr std::chrono::milliseconds kCreditPause{250};
constexpr RecordPart kCredit{.name = "credit", .version = 1};

std::span<std::uint8_t> journal_place(StateMemory& memory) {
  return memory.bytes().subspan(kJournalPlace);
}

JournalHeading heading_of(const ServiceKeeper::Options& options) {
  return {.format = restart::kRecordFormat, .build = kVersion, .tpm = options.tpm};
}

std::expected<SocketTransfer, std::string> prepare(StateMemory& memory) {
  auto pinned = memory.pin(memory.bytes().subspan(kResponsePlace, device::ResponseMemory::kSize));
  if (!pinned) return std::unexpected(pinned.error());
  return SocketTransfer::open(memory, kTransferPlace);
}

}  // namespace

ServiceKeeper::ServiceKeeper(boost::asio::io_context& io, device::DescriptorKeeper& store,
                             restart::RecordedEngine& engine, Options options, StateMemory memory,
                             const SocketTransfer& transfer, ServiceRecord record)
    : store_(store),
      engine_(engine),
      options_(std::move(options)),
      deferred_(io),
      memory_(std::move(memory)),
      transfer_(transfer),
      record_(std::move(record)),
      response_memory_(memory_.bytes().subspan(kResponsePlace, device::ResponseMemory::kSize)) {}

ServiceKeeper::~ServiceKeeper() {
  engine_.record_to(nullptr);
}

std::expected<std::unique_ptr<ServiceKeeper>, std::string> ServiceKeeper::create(
    boost::asio::io_context& io, device::DescriptorKeeper& store, restart::RecordedEngine& engine,
    const Options& options) {
  auto memory = StateMemory::create("tbsd", kMemorySize);
  if (!memory) return std::unexpected(memory.error());
  auto transfer = prepare(*memory);
  if (!transfer) return std::unexpected(transfer.error());
  auto journal = Journal::begin(journal_place(*memory), heading_of(options));
  if (!journal) return std::unexpected(journal.error());
  std::unique_ptr<ServiceKeeper> keeper(new ServiceKeeper(io, store, engine, options,
                                                          *std::move(memory), *transfer,
                                                          ServiceRecord(*std::move(journal))));
  store.keep(host::to_string({.kind = host::LeftName::Kind::Record, .tenant = options.tenant}),
             keeper->memory());
  return keeper;
}

std::expected<ServiceKeeper::Adopted, std::string> ServiceKeeper::adopt(
    boost::asio::io_context& io, device::DescriptorKeeper& store, restart::RecordedEngine& engine,
    const Options& options, int memory_file) {
  auto memory = StateMemory::adopt(memory_file, {.least = kMemorySize, .most = kMemorySize});
  if (!memory) return std::unexpected(memory.error());
  auto transfer = prepare(*memory);
  if (!transfer) return std::unexpected(transfer.error());
  const auto contents = restart::read_journal(journal_place(*memory), restart::kRecordFormat);
  if (!contents) return std::unexpected(contents.error().reason);
  if (contents->heading.tpm != options.tpm) {
    return std::unexpected("it is of the TPM " + contents->heading.tpm);
  }
  auto left = restart::read_record(contents->entries);
  if (!left) return std::unexpected(left.error());
  ServiceRecord record(
      Journal::resume(journal_place(*memory), contents->position, heading_of(options)),
      left->progress);
  std::unique_ptr<ServiceKeeper> keeper(new ServiceKeeper(
      io, store, engine, options, *std::move(memory), *transfer, std::move(record)));
  if (++keeper->number_at(kAttemptsPlace) > kMostAttempts) {
    return std::unexpected("tbsd has ended " + std::to_string(kMostAttempts) +
                           " times while it took it up");
  }
  if (auto finished = keeper->finish_transfer(); !finished) {
    return std::unexpected(finished.error());
  }
  left->progress = keeper->record_.progress();
  return Adopted{.keeper = std::move(keeper), .left = *std::move(left)};
}

std::uint64_t& ServiceKeeper::number_at(std::size_t place) const {
  void* const word = memory_.bytes().subspan(place).data();
  return *static_cast<std::uint64_t*>(word);
}

void ServiceKeeper::has_gone_on() {
  number_at(kAttemptsPlace) = 0;
  ++number_at(kRestartsPlace);
}

std::uint64_t ServiceKeeper::restarts() const {
  return number_at(kRestartsPlace);
}

// The predecessor has moved bytes, and died before it could record them.
std::expected<void, std::string> ServiceKeeper::finish_transfer() {
  const auto last = transfer_.unfinished(record_.progress().transfer);
  if (!last) return std::unexpected(last.error());
  if (!*last) return {};
  const SocketTransfer::Unfinished& moved = **last;
  const restart::KeptClient* const client = record_.progress().clients.find(moved.who);
  // Its client has gone since.
  if (client == nullptr) return {};
  if (moved.direction == SocketTransfer::Direction::Receive) {
    if (moved.bytes > kReceiveSize) return std::unexpected("it has received too much");
    record_.received(moved.who, moved.number, memory_.bytes().subspan(kReceivePlace, moved.bytes));
  } else {
    if (moved.bytes > client->output.size()) return std::unexpected("it has sent too much");
    record_.sent(moved.who, moved.number, moved.bytes);
  }
  record_.commit();
  return {};
}

void ServiceKeeper::start() {
  engine_.record_to(&record_);
  commit();
}

void ServiceKeeper::finish() {
  compact();
}

void ServiceKeeper::note_credit() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (!credit_ || now - credited_ < kCreditPause) return;
  credited_ = now;
  proto::Buffer bytes;
  RecordWriter record(bytes);
  record.part(kCredit);
  record(credit_());
  record_.credit(bytes);
}

sched::QueueCredit ServiceKeeper::left_credit() const {
  RecordReader record(record_.progress().credit);
  sched::QueueCredit credit;
  record.part(kCredit);
  record(credit);
  record.end();
  return record.ok() ? credit : sched::QueueCredit{};
}

void ServiceKeeper::before_sending() {
  note_credit();
  response_memory_.begin(record_.sending());
}

bool ServiceKeeper::may_have_sent() const {
  return response_memory_.number() == record_.progress().sending;
}

std::map<std::uint64_t, int> ServiceKeeper::clients() const {
  std::map<std::uint64_t, int> open;
  for (const auto& [id, socket] : sockets_) {
    const restart::KeptClient* const client = record_.progress().clients.find(id);
    if (client != nullptr && !client->opened.empty()) open.emplace(id, socket);
  }
  return open;
}

void ServiceKeeper::connected(std::uint64_t id, const server::Peer& peer, int socket) {
  sockets_[id] = socket;
  record_.connected(id, server::peer_record(peer));
}

// Not before: who has said nothing loses nothing, and connecting costs the service manager nothing.
bool ServiceKeeper::keep_socket(std::uint64_t id, std::move_only_function<void()> go_on) {
  const auto socket = sockets_.find(id);
  if (socket == sockets_.end()) return true;
  return store_.keep_first(name_of(id), socket->second,
                           [alive = deferred_.watch(), go_on = std::move(go_on)]() mutable {
                             if (!alive.expired()) go_on();
                           });
}

void ServiceKeeper::opened(const server::Client& client) {
  record_.opened(client.id, server::opened_record(client));
}

void ServiceKeeper::gone(std::uint64_t id) {
  record_.gone(id);
  record_.commit();
  sockets_.erase(id);
  store_.drop(name_of(id), nullptr);
}

std::expected<proto::Bytes, int> ServiceKeeper::receive(std::uint64_t id, int socket,
                                                        std::size_t most) {
  commit();
  const auto place = memory_.bytes().subspan(kReceivePlace, std::min(most, kReceiveSize));
  const auto moved = transfer_.receive(socket, id, place);
  if (!moved) return std::unexpected(moved.error());
  const proto::Bytes bytes = place.first(moved->bytes);
  if (!bytes.empty()) record_.received(id, moved->number, bytes);
  return bytes;
}

std::expected<std::size_t, int> ServiceKeeper::send(std::uint64_t id, int socket,
                                                    proto::Bytes bytes) {
  commit();
  const auto moved = transfer_.send(socket, id, bytes);
  if (!moved) return std::unexpected(moved.error());
  record_.sent(id, moved->number, moved->bytes);
  return moved->bytes;
}

void ServiceKeeper::commit() {
  record_.commit();
  if (compacting_ || !record_.wants_compaction()) return;
  if (did_not_fit_ && std::chrono::steady_clock::now() < next_try_) return;
  compacting_ = true;
  // From the loop: then no answer of the engine's is on its way to its client.
  deferred_.post([this] {
    compacting_ = false;
    compact();
  });
}

void ServiceKeeper::compact() {
  engine_.want_snapshot();
  const auto snapshot = engine_.take_snapshot();
  if (!snapshot) return;
  const bool fits = record_.compact(*snapshot);
  memory_.give_back(record_.spare());
  if (!fits) next_try_ = std::chrono::steady_clock::now() + kPauseWhenFull;
  if (std::exchange(did_not_fit_, !fits) == !fits) return;
  if (fits) {
    spdlog::info("what a restart of tbsd needs is kept again");
  } else {
    spdlog::warn(
        "what a restart of tbsd needs does not fit its memory: it would cut off the clients, until "
        "they have less on the TPM");
  }
}

std::string ServiceKeeper::name_of(std::uint64_t client) const {
  return host::to_string(
      {.kind = host::LeftName::Kind::Client, .number = client, .tenant = options_.tenant});
}

}  // namespace tbs
