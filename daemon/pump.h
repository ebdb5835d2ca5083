#pragma once

// Drives the dispatcher: tells it events with the time, carries out its actions on the device, and
// hands its answers to the server. Nothing is decided here.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/transceiver.h"
#include "daemon/device_supervisor.h"
#include "daemon/exec/execution.h"
#include "daemon/loop/asio_alarm.h"
#include "daemon/sched/dispatcher.h"
#include "proto/message.h"

namespace tbs {

class Pump {
 public:
  struct Events {
    std::function<void(sched::Answer)> answer;
    // The device became ready or failed.
    std::function<void()> device_changed;
  };

  Pump(boost::asio::io_context& io, device::Transceiver& device, exec::Engine& engine,
       const exec::TpmIdentity& identity, sched::Dispatcher::Options options);

  void start(Events events);
  // Ends what runs, winds the TPM down and closes the device.
  void stop(std::function<void()> stopped);

  void set_high_share(unsigned percent) { dispatcher_.set_high_share(percent); }
  // `quiet` is called when the machine may sleep.
  void prepare_sleep(std::function<void()> quiet);
  void wake_up();

  void open_context(ContextId context, UserId user);
  void close_context(ContextId context);
  void submit(sched::Request request);
  void cancel(ContextId context);
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) {
    return dispatcher_.make_sticky(context, handle, sticky);
  }

  [[nodiscard]] exec::Holdings held_by(ContextId context) { return dispatcher_.held_by(context); }
  [[nodiscard]] sched::RunningView running_of(ContextId context) const {
    return dispatcher_.running_of(context);
  }
  [[nodiscard]] const sched::Counters& counters() const { return dispatcher_.counters(); }
  [[nodiscard]] std::size_t queued() const { return dispatcher_.queued(); }
  [[nodiscard]] std::uint64_t times_lost() const { return times_lost_; }
  [[nodiscard]] proto::DeviceState device_state() const { return device_state_; }
  [[nodiscard]] std::string_view device_name() const { return device_.name(); }
  [[nodiscard]] const device::Facts& facts() const { return facts_; }
  [[nodiscard]] const exec::TpmIdentity& identity() const { return identity_; }
  // Longest command or response the device carries, in bytes.
  [[nodiscard]] std::uint32_t max_command() const;
  // What a client is told when no TPM was ever reached: not there, or not yet.
  [[nodiscard]] proto::Status missing_device_status() const;

 private:
  // Carries out what the dispatcher wants after an event, and arms the timer for the next one.
  void carry_out();
  void perform(sched::Answer& action) const;
  void perform(sched::SendToDevice& action);
  void perform(sched::CancelOnDevice& action);
  void perform(sched::ReopenDevice& action);
  void perform(sched::DeviceReady& action);
  void perform(sched::DeviceUnusable& action);
  void perform(sched::Quiesced& action);
  void perform(sched::Stopped& action);
  void on_device_answer(std::expected<std::vector<std::uint8_t>, device::Failure> answer);
  void arm_timer();

  device::Transceiver& device_;
  const exec::TpmIdentity& identity_;
  sched::Dispatcher dispatcher_;
  loop::AsioAlarm reopening_;
  DeviceSupervisor supervisor_;
  Events events_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  bool carrying_out_ = false;
  device::Facts facts_;
  proto::DeviceState device_state_ = proto::DeviceState::Starting;
  std::uint64_t times_lost_ = 0;
  std::function<void()> quiet_;
  std::function<void()> stopped_;
};

}  // namespace tbs
