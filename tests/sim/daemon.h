#pragma once

// One process of tbsd on the simulated kernel: the real service with its loop, as daemon/app puts
// it together, and what stands in for the service manager, which keeps descriptors for the next
// process. The process can be killed at any call; what it would do after that reaches nobody.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/config/config.h"
#include "daemon/device/descriptor_keeper.h"
#include "daemon/server/account_finder.h"
#include "daemon/server/turn_runner.h"
#include "daemon/tpm_service.h"
#include "proto/rules/rules.h"
#include "tests/sim/kernel/kernel.h"

namespace tbs::sim {

// What outlives a process.
struct Store {
  std::map<std::string, SharedFile> files;
  int memory = -1;  // the record, as it was when the process ended

  ~Store();
};

class Tbsd {
 public:
  struct Options {
    Config config;
    rules::Rules rules;
    std::uint64_t slow_store = 0;  // one in so many descriptors is kept later; 0: none
  };

  Tbsd(Kernel& kernel, Store& store, const Options& options);
  ~Tbsd();
  Tbsd(const Tbsd&) = delete;
  Tbsd& operator=(const Tbsd&) = delete;

  void start();
  // A client has connected.
  void accept(SharedFile socket, server::SharedProfile profile);
  // Until the process is killed, ends for a successor, or end() is called.
  void run();
  void kill_after(std::uint64_t calls);
  void leave();
  void end() { io_.stop(); }
  void prepare_sleep();
  void wake_up() { service_->wake_up(); }

  [[nodiscard]] std::size_t differences() const { return service_->differences(); }

 private:
  class Keeper;

  LeftDescriptors take_left();
  server::SharedProfile profile_of(const server::PeerRecord& peer) const;
  void killed();

  Kernel& kernel_;
  Store& store_;
  Options options_;
  boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  std::unique_ptr<Keeper> keeper_;
  server::TurnRunner turns_{io_};
  server::AccountFinder accounts_{io_, "/nonexistent"};
  TpmService::Shared shared_;
  std::unique_ptr<TpmService> service_;
};

}  // namespace tbs::sim
