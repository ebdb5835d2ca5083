#pragma once

// Whether the service manager that ends this daemon will start it again at once: the job of its
// unit is a restart (org.freedesktop.systemd1(5)). Then clients are kept; else they are told that
// the service is not running.

#include <chrono>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-bus.h>

#include "daemon/host/bus_connection.h"

namespace tbs::host {

class StopReason {
 public:
  using Handler = std::move_only_function<void(bool restart)>;

  // An answer that comes later than this is not waited for: it is a stop.
  static constexpr std::chrono::milliseconds kPatience{300};

  // Of the unit that this process belongs to (sd_pid_get_unit(3)).
  explicit StopReason(boost::asio::io_context& io);
  StopReason(boost::asio::io_context& io, std::string unit);
  ~StopReason() = default;
  StopReason(const StopReason&) = delete;
  StopReason& operator=(const StopReason&) = delete;

  // The handler is called once, not within this call. Without a service manager, or when it cannot
  // be asked, it is a stop. Ask once.
  void ask(Handler handler);

 private:
  bool ask_for_job();
  bool ask_for_type(const char* job);
  bool ask_for(const std::string& path, const char* interface, const char* property,
               sd_bus_message_handler_t handler);
  static int on_job(sd_bus_message* reply, void* self, sd_bus_error* error);
  static int on_type(sd_bus_message* reply, void* self, sd_bus_error* error);
  void finish();

  std::string unit_;
  BusConnection bus_;
  boost::asio::steady_timer patience_;
  Handler handler_;
  bool restart_ = false;
};

}  // namespace tbs::host
