#pragma once

// Drives one Transceiver step by step: each call starts an operation and runs the event loop until
// its handler was called. A deadline guards against a handler that never comes.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/device/transceiver.h"

namespace tbs::test {

using Response = std::expected<std::vector<std::uint8_t>, device::Failure>;

class DeviceRun {
 public:
  DeviceRun(boost::asio::io_context& loop, device::Transceiver& device)
      : loop_(loop), device_(device) {}

  std::expected<device::Facts, device::Failure> open();
  std::expected<device::Facts, device::Failure> adopt(std::vector<device::KeptDescriptor> left);
  Response transmit(std::span<const std::uint8_t> command, std::uint8_t locality = 0);
  // Starts a command; its response is taken with finish().
  void begin(std::span<const std::uint8_t> command, std::uint8_t locality = 0);
  // The same for a command that a predecessor has begun.
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality = 0);
  Response finish();
  [[nodiscard]] bool finished() const { return response_.has_value(); }
  void close();

  // Transmits and returns the response code; fails the test when there is no response.
  std::uint32_t code(std::span<const std::uint8_t> command, std::uint8_t locality = 0);

  // Runs the loop for a while, or until a condition holds; fails the test after the deadline.
  void run_for(std::chrono::milliseconds duration);
  void run_until(const std::function<bool()>& done);

  // How often response handlers were called in all.
  [[nodiscard]] int responses() const { return responses_; }

 private:
  device::Transceiver::ResponseHandler take();

  boost::asio::io_context& loop_;
  device::Transceiver& device_;
  std::optional<Response> response_;
  int responses_ = 0;
};

// What a successor inherits: copies, as a service manager has them.
std::vector<device::KeptDescriptor> copies(const std::vector<device::KeptDescriptor>& kept);

// "open /dev/tpm0: No such file or directory".
std::string describe(const device::Failure& failure);

}  // namespace tbs::test
