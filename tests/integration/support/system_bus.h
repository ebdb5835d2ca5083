#pragma once

// A system bus of the test's own.

#include <memory>
#include <string>

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

}  // namespace tbs::test
