#include "tests/integration/device/device_run.h"

#include <cstring>
#include <utility>

#include <fcntl.h>

#include "tests/integration/device/tpm_commands.h"
#include "tests/support/catch2.h"

namespace tbs::test {
namespace {

constexpr std::chrono::seconds kDeadline{100};

}  // namespace

void DeviceRun::run_until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) FAIL("no handler was called in time");
    loop_.restart();
    loop_.run_one_for(std::chrono::milliseconds(100));
  }
}

void DeviceRun::run_for(std::chrono::milliseconds duration) {
  loop_.restart();
  loop_.run_for(duration);
}

std::expected<device::Facts, device::Failure> DeviceRun::open() {
  std::optional<std::expected<device::Facts, device::Failure>> result;
  device_.open([&](std::expected<device::Facts, device::Failure> facts) {
    CHECK_FALSE(result.has_value());
    result = std::move(facts);
  });
  CHECK_FALSE(result.has_value());
  run_until([&] { return result.has_value(); });
  return *result;
}

std::expected<device::Facts, device::Failure> DeviceRun::adopt(
    std::vector<device::KeptDescriptor> left) {
  std::optional<std::expected<device::Facts, device::Failure>> result;
  device_.adopt(std::move(left), [&](std::expected<device::Facts, device::Failure> facts) {
    CHECK_FALSE(result.has_value());
    result = std::move(facts);
  });
  CHECK_FALSE(result.has_value());
  run_until([&] { return result.has_value(); });
  return *result;
}

device::Transceiver::ResponseHandler DeviceRun::take() {
  response_.reset();
  return [this](const device::Transceiver::Response& response) {
    CHECK_FALSE(response_.has_value());
    ++responses_;
    if (response) {
      response_.emplace(std::vector(response->begin(), response->end()));
    } else {
      response_.emplace(std::unexpected(response.error()));
    }
  };
}

void DeviceRun::begin(std::span<const std::uint8_t> command, std::uint8_t locality) {
  device_.transmit(command, locality, take());
  CHECK_FALSE(response_.has_value());
}

void DeviceRun::resume(std::span<const std::uint8_t> command, std::uint8_t locality) {
  device_.resume(command, locality, take());
  CHECK_FALSE(response_.has_value());
}

Response DeviceRun::finish() {
  run_until([this] { return response_.has_value(); });
  return *response_;
}

Response DeviceRun::transmit(std::span<const std::uint8_t> command, std::uint8_t locality) {
  begin(command, locality);
  return finish();
}

void DeviceRun::close() {
  bool closed = false;
  device_.close([&] { closed = true; });
  CHECK_FALSE(closed);
  run_until([&] { return closed; });
}

std::uint32_t DeviceRun::code(std::span<const std::uint8_t> command, std::uint8_t locality) {
  const Response response = transmit(command, locality);
  if (!response) FAIL(describe(response.error()));
  return response_code(*response);
}

std::vector<device::KeptDescriptor> copies(const std::vector<device::KeptDescriptor>& kept) {
  std::vector<device::KeptDescriptor> result;
  for (const device::KeptDescriptor& one : kept) {
    result.push_back({.name = one.name, .descriptor = ::fcntl(one.descriptor, F_DUPFD_CLOEXEC, 0)});
    REQUIRE(result.back().descriptor >= 0);
  }
  return result;
}

std::string describe(const device::Failure& failure) {
  std::string text = failure.operation;
  if (failure.error != 0) text += std::string(": ") + std::strerror(failure.error);
  return text;
}

}  // namespace tbs::test
