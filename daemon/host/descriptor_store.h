#pragma once

// Descriptors that the service manager keeps while this process runs, and gives to the next one
// (FDSTORE=1, sd_notify(3); FileDescriptorStoreMax= in the unit). sd_notify(3) itself may wait
// until the service manager reads; here nothing blocks, and what cannot be sent yet is sent later.
//
// Stored with FDPOLL=0: else the service manager waits for events on each of them, which stops it
// for as long as a command runs on the kernel's TPM, and drops a client's socket whose peer has
// closed it though bytes are unread.
//
// The service manager looks at the open file, not at the name: one that it has already under
// another name is not stored again.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/descriptor_keeper.h"
#include "daemon/host/notify_socket.h"
#include "daemon/host/store_queue.h"

namespace tbs::host {

class DescriptorStore final : public device::DescriptorKeeper {
 public:
  // Past it a service manager that does not say that it is done is not waited for any more.
  static constexpr std::chrono::seconds kBarrierPatience{2};
  // So long one waits at most whose descriptor finds the service manager's queue full.
  static constexpr std::chrono::milliseconds kKeepPatience{100};

  // The service manager's socket is what NOTIFY_SOCKET says: empty for none.
  explicit DescriptorStore(boost::asio::io_context& io);
  DescriptorStore(boost::asio::io_context& io, std::string socket, StoreQueue::Limits limits);
  ~DescriptorStore() override;
  DescriptorStore(const DescriptorStore&) = delete;
  DescriptorStore& operator=(const DescriptorStore&) = delete;

  // There is a service manager. Whether it keeps anything is up to the unit.
  [[nodiscard]] bool available() const { return socket_.available(); }

  // A predecessor's, which this process goes on using: the service manager has it.
  void already_kept(const std::string& name) { queue_.already_kept(name); }

  // Names are those of left_name. Without a service manager nothing is kept.
  void keep(std::string name, int descriptor) override;
  // Waits only for a full queue. What goes later because clients come too fast, or because there
  // are too many of them, holds nobody up.
  bool keep_first(std::string name, int descriptor, Gone go_on) override;
  void drop(std::string name, Gone gone) override;
  // Calls back when the service manager has done all that it was told until now; not within this
  // call.
  void barrier(Gone call);

 private:
  class Barrier;
  class Held;

  void post(Gone call);
  void goes_on(const std::string& name);
  void send_waiting();
  // 0 or an errno value.
  int send(const StoreQueue::Message& message);
  int send_barrier(std::uint64_t number);
  static void complain(const StoreQueue::Message& message, int error);
  void send_later(std::chrono::milliseconds pause);
  void send_when_writable();
  void send_again(const boost::system::error_code& stopped);
  void passed(std::uint64_t number);

  boost::asio::io_context& io_;
  NotifySocket socket_;
  StoreQueue queue_;
  boost::asio::steady_timer timer_;
  bool waiting_ = false;             // for the timer or the socket
  bool full_ = false;                // the service manager's queue is
  std::chrono::milliseconds pause_;  // before the next try
  std::map<std::uint64_t, std::unique_ptr<Barrier>> barriers_;
  std::uint64_t last_barrier_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Held>> held_;
};

}  // namespace tbs::host
