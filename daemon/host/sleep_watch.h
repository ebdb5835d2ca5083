#pragma once

// Hears from logind on the system bus when the machine is about to sleep, and delays that with an
// inhibitor until release(). Nothing here blocks: the event loop drives the bus. Where there is no
// bus or no logind, it tries again with growing pauses and logs nothing: what a sleep has done to
// the TPM is then noticed by the TPM's answers.

#include <chrono>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-bus.h>

#include "daemon/host/bus_connection.h"

namespace tbs::host {

class SleepWatch {
 public:
  struct Events {
    std::function<void()> prepare;  // the machine waits for release(), for some seconds
    std::function<void()> woken;    // it has slept, or has given that up
  };

  explicit SleepWatch(boost::asio::io_context& io);
  ~SleepWatch();
  SleepWatch(const SleepWatch&) = delete;
  SleepWatch& operator=(const SleepWatch&) = delete;

  void start(Events events);
  // Lets the machine sleep.
  void release();
  // No more events; the inhibitor is let go.
  void stop();

 private:
  void connect();
  bool subscribe();
  void retry();
  void disconnected();

  int inhibit();
  void take_inhibitor(sd_bus_message* reply);
  void hear(bool sleeping);
  static int on_inhibited(sd_bus_message* reply, void* self, sd_bus_error* error);
  static int on_signal(sd_bus_message* message, void* self, sd_bus_error* error);

  Events events_;
  BusConnection bus_;
  boost::asio::steady_timer timer_;
  unsigned round_ = 0;  // of the pauses; what is left of earlier ones is ignored
  std::chrono::milliseconds pause_;
  int inhibitor_ = -1;
  bool sleeping_ = false;
};

}  // namespace tbs::host
