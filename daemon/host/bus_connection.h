#pragma once

// A connection to the system bus that the event loop drives: nothing here blocks. What is called on
// it, and who hears of it, is sd-bus's (sd-bus(3)); this object has it send, receive and call back.

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-bus.h>

namespace tbs::host {

class BusConnection {
 public:
  explicit BusConnection(boost::asio::io_context& io) : descriptor_(io), timer_(io) {}
  ~BusConnection() { close(); }
  BusConnection(const BusConnection&) = delete;
  BusConnection& operator=(const BusConnection&) = delete;

  // False when there is no bus.
  bool open();
  [[nodiscard]] sd_bus* bus() const { return bus_.get(); }
  // Once the first calls have been made: does what the bus has for us, and waits for more, until
  // the connection is lost or given up. Then it is closed, and `lost` is called.
  void drive(std::function<void()> lost);
  // Also from a call that the bus makes: the connection is of no use any more.
  void give_up() { given_up_ = true; }
  // Not from a call that the bus makes.
  void close();

 private:
  struct CloseBus {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  };

  void process();
  void wait();
  void wake(const boost::system::error_code& error, unsigned round);

  std::unique_ptr<sd_bus, CloseBus> bus_;
  boost::asio::posix::stream_descriptor descriptor_;  // the bus's own, which the bus closes
  boost::asio::steady_timer timer_;
  std::function<void()> lost_;
  unsigned round_ = 0;  // of waiting; what is left of earlier ones is ignored
  bool given_up_ = false;
};

}  // namespace tbs::host
