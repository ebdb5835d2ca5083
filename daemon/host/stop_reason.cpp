#include "daemon/host/stop_reason.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <systemd/sd-login.h>

namespace tbs::host {
namespace {

constexpr const char* kServiceManager = "org.freedesktop.systemd1";
constexpr const char* kUnitInterface = "org.freedesktop.systemd1.Unit";
constexpr const char* kJobInterface = "org.freedesktop.systemd1.Job";
constexpr const char* kUnits = "/org/freedesktop/systemd1/unit";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

// A string that libsystemd has made.
std::string take(char* text) {
  const std::string copy(text);
  std::free(text);
  return copy;
}

std::string own_unit() {
  char* unit = nullptr;
  return sd_pid_get_unit(0, &unit) < 0 ? std::string() : take(unit);
}

}  // namespace

StopReason::StopReason(boost::asio::io_context& io) : StopReason(io, own_unit()) {}

StopReason::StopReason(boost::asio::io_context& io, std::string unit)
    : unit_(std::move(unit)), bus_(io), patience_(io) {}

void StopReason::ask(Handler handler) {
  handler_ = std::move(handler);
  const bool asked = !unit_.empty() && bus_.open() && ask_for_job();
  patience_.expires_after(asked ? kPatience : std::chrono::milliseconds(0));
  patience_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) finish();
  });
  if (!asked) return;
  boost::asio::post(patience_.get_executor(), [this] {
    if (handler_) bus_.drive([this] { finish(); });
  });
}

bool StopReason::ask_for_job() {
  char* path = nullptr;
  if (sd_bus_path_encode(kUnits, unit_.c_str(), &path) < 0) return false;
  return ask_for(take(path), kUnitInterface, "Job", on_job);
}

bool StopReason::ask_for_type(const char* job) {
  return ask_for(job, kJobInterface, "JobType", on_type);
}

bool StopReason::ask_for(const std::string& path, const char* interface, const char* property,
                         sd_bus_message_handler_t handler) {
  return sd_bus_call_method_async(bus_.bus(), nullptr, kServiceManager, path.c_str(), kProperties,
                                  "Get", handler, this, "ss", interface, property) >= 0;
}

// Job is a number, 0 for none, and the job's path.
int StopReason::on_job(sd_bus_message* reply, void* self, sd_bus_error* /*error*/) {
  auto& asking = *static_cast<StopReason*>(self);
  std::uint32_t number = 0;
  const char* job = nullptr;
  if (sd_bus_message_is_method_error(reply, nullptr) != 0 ||
      sd_bus_message_read(reply, "v", "(uo)", &number, &job) < 0 || number == 0 ||
      !asking.ask_for_type(job)) {
    asking.bus_.give_up();
  }
  return 0;
}

int StopReason::on_type(sd_bus_message* reply, void* self, sd_bus_error* /*error*/) {
  auto& asking = *static_cast<StopReason*>(self);
  const char* type = nullptr;
  asking.restart_ = sd_bus_message_is_method_error(reply, nullptr) == 0 &&
                    sd_bus_message_read(reply, "v", "s", &type) >= 0 &&
                    std::string_view(type) == "restart";
  asking.bus_.give_up();
  return 0;
}

void StopReason::finish() {
  patience_.cancel();
  bus_.close();
  if (auto handler = std::exchange(handler_, nullptr)) handler(restart_);
}

}  // namespace tbs::host
