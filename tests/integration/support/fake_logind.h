#pragma once

// A system bus of the test's own, and on it somebody who does what logind does about sleep: hands
// out inhibitors and says when the machine falls asleep and when it is awake again.

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <systemd/sd-bus.h>

#include "tests/integration/support/program.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

class SystemBus {
 public:
  // Started.
  explicit SystemBus(const TempFolder& folder);
  void start();
  void stop();
  [[nodiscard]] std::string address() const { return "unix:path=" + socket_; }
  // What makes a program use this bus.
  [[nodiscard]] std::string environment() const { return "DBUS_SYSTEM_BUS_ADDRESS=" + address(); }

 private:
  std::string socket_;
  std::string configuration_;
  std::string log_;
  std::unique_ptr<Program> program_;
};

class FakeLogind {
 public:
  explicit FakeLogind(const SystemBus& bus);
  ~FakeLogind();
  FakeLogind(const FakeLogind&) = delete;
  FakeLogind& operator=(const FakeLogind&) = delete;

  void prepare_for_sleep(bool sleeping);
  // How many delay inhibitors are held at this moment.
  int inhibitors();

 private:
  static int on_inhibit(sd_bus_message* call, void* self, sd_bus_error* error);
  int inhibit(sd_bus_message* call);
  void serve(const std::stop_token& stop);

  std::mutex mutex_;  // of the bus and the inhibitors
  sd_bus* bus_ = nullptr;
  std::vector<int> held_;  // our ends of the pipes
  std::jthread thread_;
};

}  // namespace tbs::test
