#pragma once

// Somebody who does on a system bus what logind does about sleep: hands out inhibitors and says
// when the machine falls asleep and when it is awake again.

#include <mutex>
#include <thread>
#include <vector>

#include <systemd/sd-bus.h>

#include "tests/integration/support/system_bus.h"

namespace tbs::test {

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
