#pragma once

// Drives the dispatcher: tells it events with the time, carries out its actions on the device, and
// hands its answers to whoever submitted. Nothing is decided here.

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/transceiver.h"
#include "daemon/device_supervisor.h"
#include "daemon/exec/execution.h"
#include "daemon/health_check.h"
#include "daemon/loop/asio_alarm.h"
#include "daemon/loop/deferred.h"
#include "daemon/loop/loop_gap.h"
#include "daemon/sched/dispatcher.h"
#include "daemon/server/command_sink.h"
#include "proto/event_names.h"

namespace tbs {

class Pump : public server::CommandSink {
 public:
  struct Options {
    sched::Dispatcher::Options dispatcher;
    // Whom lines of the log are about: the user who has the TPM alone, or 0.
    std::uint32_t concerned = 0;
  };
  struct Events {
    std::function<void(const sched::Answer&)> answer;
    // The device became ready or failed.
    std::function<void()> device_changed;
    // It cannot be used, or again, in a line for administrators. May be null.
    std::function<void(proto::Event, const std::string& text)> device_event = nullptr;
    // A command is about to be sent to the device. May be null.
    std::function<void()> before_sending = nullptr;
  };
  // Of the process before this one.
  struct Left {
    std::vector<device::KeptDescriptor> device;  // empty: it was not open
    std::optional<sched::LeftWork> work;
    // Whether the device has the command of that work, or may have it.
    bool may_have_sent = false;
  };

  Pump(boost::asio::io_context& io, device::Transceiver& device, exec::Engine& engine,
       const exec::TpmIdentity& identity, const Options& options);

  void start(Events events);
  // In place of it: goes on where another process has ended. The engine is as it was there.
  // `going_on` is called from the loop when what comes may be told; no event comes before it.
  void take_over(Events events, Left left, std::function<void()> going_on);
  // Ends what runs, winds the TPM down and closes the device. No event comes after `stopped`.
  void stop(std::function<void()> stopped);

  [[nodiscard]] sched::QueueCredit credit() const { return dispatcher_.credit(); }
  // Before take_over().
  void restore(const sched::QueueCredit& credit) { dispatcher_.restore(credit); }
  void set_high_share(unsigned percent) { dispatcher_.set_high_share(percent); }
  void set_swap_slice(unsigned percent) { dispatcher_.set_swap_slice(percent); }
  // `quiet` is called when the machine may sleep.
  void prepare_sleep(std::function<void()> quiet);
  void wake_up();
  // The engine may have work of its own now that it did not have.
  void look_for_work();
  void hand_over(const sched::HandoverTerms& terms, server::HandoverEvents events) override;
  void handed_over_before(const sched::HandoverDeadlines& until,
                          server::HandoverEvents events) override;
  void take_back() override;

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override;
  void inherit(ContextId heir, ContextId from) override;
  void close_context(ContextId context) override;
  void submit(SharedCommand command) override;
  void cancel(ContextId context, std::optional<RequestId> only) override;
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override {
    return engine_.make_sticky(context, handle, sticky);
  }

  [[nodiscard]] server::DeviceView device() const override;
  [[nodiscard]] const exec::TpmIdentity& identity() const override { return identity_; }
  [[nodiscard]] exec::Usage usage() const override { return engine_.usage(); }
  [[nodiscard]] exec::AccountUsage usage_of(AccountId account) const override {
    return engine_.usage_of(account);
  }
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override {
    return engine_.held_by(context, most);
  }
  [[nodiscard]] sched::RunningView running_of(ContextId context) const override {
    return dispatcher_.running_of(context);
  }
  [[nodiscard]] sched::TpmActivity activity(TimePoint now) const override {
    return dispatcher_.activity(now);
  }
  [[nodiscard]] sched::ContextActivity activity_of(AccountId account, ContextId context,
                                                   TimePoint now) const override {
    return dispatcher_.activity_of(account, context, now);
  }
  [[nodiscard]] const sched::Counters& counters() const override { return dispatcher_.counters(); }
  [[nodiscard]] std::size_t queued() const override { return dispatcher_.queued(); }

 private:
  TimePoint now();
  // Carries out what the dispatcher wants after an event, and arms the timer for the next one.
  void carry_out();
  void perform(sched::Action& action);
  void transmit(const sched::SendToDevice& command);
  void watch_device();
  void go_on(const std::expected<device::Facts, device::Failure>& adopted,
             std::optional<sched::LeftWork> work, const std::function<void()>& going_on);
  void device_ready();
  void device_down(const std::string& reason);
  // The TPM was found to be of little use, a while ago.
  void mend_tpm();
  void close_for_others();
  void on_device_answer(const device::Transceiver::Response& answer);
  void arm_timer();

  loop::LoopGap& gap_;
  device::Transceiver& device_;
  exec::Engine& engine_;
  const exec::TpmIdentity& identity_;
  sched::Dispatcher dispatcher_;
  loop::AsioAlarm reopening_;
  loop::AsioAlarm checking_;
  DeviceSupervisor supervisor_;
  HealthCheck health_check_;
  loop::Deferred deferred_;
  Events events_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> armed_;
  bool carrying_out_ = false;
  std::vector<sched::Action> in_hand_;  // what is being carried out
  device::Facts facts_;
  proto::DeviceState device_state_ = proto::DeviceState::Starting;
  std::uint64_t times_lost_ = 0;
  bool may_have_sent_ = false;
  std::function<void()> quiet_;
  server::HandoverEvents handover_;
  std::function<void()> stopped_;
  bool ended_ = false;
  const std::uint32_t concerned_;
};

}  // namespace tbs
