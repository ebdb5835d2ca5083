#pragma once

// Keeps one TPM's service for a successor of this process: its record in memory that outlives it,
// and the descriptors of its clients with the service manager. What is written when, and why a kill
// at any instruction loses nothing, is in restart/service_record.h; the bytes of links and of the
// device are moved by restart/socket_transfer and device/response_memory.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/base/clock.h"
#include "daemon/device/descriptor_keeper.h"
#include "daemon/device/response_memory.h"
#include "daemon/loop/deferred.h"
#include "daemon/restart/left_record.h"
#include "daemon/restart/recorded_engine.h"
#include "daemon/restart/service_record.h"
#include "daemon/restart/socket_transfer.h"
#include "daemon/restart/state_memory.h"
#include "daemon/sched/queue_credit.h"
#include "daemon/server/client_keeper.h"

namespace tbs {

class ServiceKeeper final : public server::ClientKeeper {
 public:
  struct Options {
    // Of the TPM, as the record names it: another one's record is of no use.
    std::string tpm;
    std::string tenant;  // whose own it is; empty for the daemon's
  };
  // With what a predecessor has left. The record's bytes are in the keeper's memory, until the
  // second compaction.
  struct Adopted {
    std::unique_ptr<ServiceKeeper> keeper;
    restart::LeftRecord left;
  };

  // All must outlive it. Fails where there is no such memory.
  static std::expected<std::unique_ptr<ServiceKeeper>, std::string> create(
      boost::asio::io_context& io, device::DescriptorKeeper& store, restart::RecordedEngine& engine,
      const Options& options);
  // `memory_file` is closed when it is of no use; the reason says why, to be read behind "the kept
  // state is not used: ".
  static std::expected<Adopted, std::string> adopt(boost::asio::io_context& io,
                                                   device::DescriptorKeeper& store,
                                                   restart::RecordedEngine& engine,
                                                   const Options& options, int memory_file);
  ~ServiceKeeper() override;
  ServiceKeeper(const ServiceKeeper&) = delete;
  ServiceKeeper& operator=(const ServiceKeeper&) = delete;

  // The engine is recorded from now on. It must be as the record says.
  void start();
  // What the predecessor has left was no harm to this process.
  void has_gone_on();
  // How often one process has gone on for another one, since the first.
  [[nodiscard]] std::uint64_t restarts() const;
  // Before the process ends for a successor: what is recorded becomes short, if it can.
  void finish();

  // How the predecessor has shared the TPM's time.
  [[nodiscard]] sched::QueueCredit left_credit() const;
  [[nodiscard]] device::ResponseMemory& response_memory() { return response_memory_; }
  // A command is about to be sent to the device.
  void before_sending();
  // Whom to ask, now and then, how the TPM's time was shared.
  void set_credit(std::function<sched::QueueCredit()> credit) { credit_ = std::move(credit); }
  // The device has the command that was recorded last, or may have it.
  [[nodiscard]] bool may_have_sent() const;
  [[nodiscard]] int memory() const { return memory_.descriptor(); }
  // A client of the predecessor's, whose socket this is.
  void adopted(std::uint64_t id, int socket) { sockets_[id] = socket; }
  // The sockets of all clients that have said hello.
  [[nodiscard]] std::map<std::uint64_t, int> clients() const;

  void connected(std::uint64_t id, const server::Peer& peer, int socket) override;
  bool keep_socket(std::uint64_t id, std::move_only_function<void()> go_on) override;
  void opened(const server::Client& client) override;
  void gone(std::uint64_t id) override;
  void handed_over(proto::Bytes whom) override { record_.handed_over(whom); }
  std::expected<proto::Bytes, int> receive(std::uint64_t id, int socket, std::size_t most) override;
  void handled(std::uint64_t id, std::size_t size) override { record_.handled(id, size); }
  void queued(std::uint64_t id, proto::Bytes frames) override { record_.queued(id, frames); }
  std::expected<std::size_t, int> send(std::uint64_t id, int socket, proto::Bytes bytes) override;

 private:
  struct Places;

  ServiceKeeper(boost::asio::io_context& io, device::DescriptorKeeper& store,
                restart::RecordedEngine& engine, Options options, restart::StateMemory memory,
                const restart::SocketTransfer& transfer, restart::ServiceRecord record);

  [[nodiscard]] std::uint64_t& number_at(std::size_t place) const;
  std::expected<void, std::string> finish_transfer();
  void commit();
  void compact();
  void note_credit();
  [[nodiscard]] std::string name_of(std::uint64_t client) const;

  device::DescriptorKeeper& store_;
  restart::RecordedEngine& engine_;
  Options options_;
  loop::Deferred deferred_;
  restart::StateMemory memory_;
  restart::SocketTransfer transfer_;
  restart::ServiceRecord record_;
  device::ResponseMemory response_memory_;
  std::map<std::uint64_t, int> sockets_;
  std::function<sched::QueueCredit()> credit_;
  TimePoint credited_;
  bool compacting_ = false;   // it was asked for
  bool did_not_fit_ = false;  // the last time
  TimePoint next_try_;        // then
};

}  // namespace tbs
