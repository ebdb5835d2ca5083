#include "daemon/pump.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "daemon/device/response_memory.h"
#include "daemon/exec/bring_up.h"
#include "daemon/host/limited_log.h"
#include "daemon/probes.h"
#include "proto/limits.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"
#include "proto/tpm_header.h"

namespace tbs {
namespace {

// What the drivers of today's kernels (TPM_BUFSIZE in drivers/char/tpm/tpm.h) and libtpms both
// take. For a TPM with smaller buffers the resource manager answers what is longer.
constexpr std::uint32_t kUsualBuffer = 4096;

// Of a TPM that says that its buffers have `size` bytes.
std::uint32_t buffer_of(std::uint32_t size, std::size_t most) {
  return std::max(kUsualBuffer, std::min(size, static_cast<std::uint32_t>(most)));
}

// One visitor of several functions, one for each kind of action.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

std::string text_of(const device::Failure& failure) {
  std::string text = failure.operation;
  if (failure.error != 0) text += std::string(": ") + std::strerror(failure.error);
  if (!failure.advice.empty()) text += "; " + failure.advice;
  return text;
}

// Of a command or a response; 0 when it has none.
std::uint32_t code_of(proto::Bytes message) {
  const auto header = proto::read_tpm_header(message);
  return header ? header->code : 0;
}

bool moves_context(std::uint32_t command_code) {
  return command_code == tpm::cc::kContextSave || command_code == tpm::cc::kContextLoad ||
         command_code == tpm12::ord::kSaveContext || command_code == tpm12::ord::kLoadContext;
}

// What a client is told of a device that could not be opened.
proto::Status missing_device_status(int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return proto::Status::TpmNotFound;
    default:
      return proto::Status::ServiceStartPending;
  }
}

}  // namespace

Pump::Pump(boost::asio::io_context& io, device::Transceiver& device, exec::Engine& engine,
           const exec::TpmIdentity& identity, const Options& options)
    : gap_(loop::LoopGap::of(io)),
      device_(device),
      engine_(engine),
      identity_(identity),
      dispatcher_(engine, options.dispatcher),
      reopening_(io),
      checking_(io),
      supervisor_(device, reopening_,
                  {.opened =
                       [this](const device::Facts& facts) {
                         facts_ = facts;
                         dispatcher_.device_opened(now());
                         carry_out();
                       },
                   .unavailable =
                       [this](const device::Failure&) {
                         device_state_ = proto::DeviceState::Down;
                         dispatcher_.device_unavailable(now());
                         carry_out();
                         events_.device_changed();
                       },
                   .look = [this] { mend_tpm(); },
                   .lost =
                       [this](const std::string& text) {
                         TBS_PROBE(device_lost, text.c_str());
                         if (events_.device_event)
                           events_.device_event(proto::Event::DeviceLost, text);
                       },
                   .back =
                       [this](const std::string& text) {
                         if (events_.device_event)
                           events_.device_event(proto::Event::DeviceReady, text);
                       }}),
      health_check_(checking_,
                    [this] {
                      if (device_state_ != proto::DeviceState::Ready) return;
                      dispatcher_.look_again(now());
                      carry_out();
                    }),
      deferred_(io),
      timer_(io),
      concerned_(options.concerned) {}

TimePoint Pump::now() {
  const TimePoint time = std::chrono::steady_clock::now();
  gap_.note(time);
  return time;
}

void Pump::start(Events events) {
  events_ = std::move(events);
  watch_device();
  supervisor_.open();
}

// It can go though nothing runs on it.
void Pump::watch_device() {
  device_.on_loss([this](const device::Failure& failure) {
    dispatcher_.device_gone(text_of(failure), now());
    carry_out();
  });
}

void Pump::take_over(Events events, Left left, std::function<void()> going_on) {
  events_ = std::move(events);
  may_have_sent_ = left.may_have_sent;
  watch_device();
  if (left.device.empty() && !left.work) {
    engine_.device_lost();
    deferred_.post([this, going_on = std::move(going_on)] {
      going_on();
      supervisor_.open();
    });
    return;
  }
  auto work = std::make_shared<std::optional<sched::LeftWork>>(std::move(left.work));
  device_.adopt(std::move(left.device),
                [this, work, going_on = std::move(going_on)](
                    const std::expected<device::Facts, device::Failure>& adopted) {
                  go_on(adopted, std::move(*work), going_on);
                });
}

void Pump::go_on(const std::expected<device::Facts, device::Failure>& adopted,
                 std::optional<sched::LeftWork> work, const std::function<void()>& going_on) {
  const bool starting = work && work->work.kind == sched::WorkKind::BringUp;
  if (adopted) {
    facts_ = *adopted;
    dispatcher_.device_adopted(std::move(work), now());
  } else {
    dispatcher_.device_left_behind(std::move(work), text_of(adopted.error()), now());
  }
  going_on();
  carry_out();
  if (adopted && !starting && !dispatcher_.handed_over()) device_ready();
}

void Pump::stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  dispatcher_.stop(facts_.owns_power, now());
  carry_out();
}

void Pump::prepare_sleep(std::function<void()> quiet) {
  quiet_ = std::move(quiet);
  dispatcher_.prepare_sleep(now());
  carry_out();
}

void Pump::wake_up() {
  dispatcher_.wake_up(now());
  carry_out();
}

void Pump::look_for_work() {
  dispatcher_.look_for_work(now());
  carry_out();
}

void Pump::hand_over(const sched::HandoverTerms& terms, server::HandoverEvents events) {
  handover_ = std::move(events);
  dispatcher_.hand_over(terms, now());
  carry_out();
}

void Pump::take_back() {
  handover_ = {};
  dispatcher_.take_back(now());
  supervisor_.resume();
  carry_out();
}

void Pump::handed_over_before(const sched::HandoverDeadlines& until,
                              server::HandoverEvents events) {
  handover_ = {.given = nullptr, .over = std::move(events.over)};
  close_for_others();
  dispatcher_.handed_over_before(until, now());
  carry_out();
}

// Nobody is told where it was taken back before.
void Pump::close_for_others() {
  device_state_ = proto::DeviceState::Down;
  supervisor_.pause("an administrator's program has the TPM alone",
                    "it comes back by itself, or with `tbsctl maintenance off`", [this] {
                      if (const auto given = std::exchange(handover_.given, nullptr)) {
                        given(dispatcher_.handover_deadlines());
                      }
                    });
  events_.device_changed();
}

void Pump::open_context(ContextId context, const Principal& principal) {
  engine_.open_context(context, principal);
}

void Pump::skip_handles(ContextId context, std::uint32_t earlier) {
  engine_.skip_handles(context, earlier);
}

void Pump::inherit(ContextId heir, ContextId from) {
  engine_.inherit(heir, from);
}

void Pump::close_context(ContextId context) {
  dispatcher_.close_context(context, now());
  carry_out();
}

void Pump::submit(SharedCommand command) {
  TBS_PROBE(submit, static_cast<std::uint64_t>(command->context()),
            static_cast<std::uint64_t>(command->request()), code_of(command->bytes()),
            command->bytes().size(), command->priority());
  dispatcher_.submit(std::move(command), now());
  carry_out();
}

void Pump::cancel(ContextId context, std::optional<RequestId> only) {
  TBS_PROBE(cancel, static_cast<std::uint64_t>(context));
  dispatcher_.cancel(context, only, now());
  carry_out();
}

server::DeviceView Pump::device() const {
  return {.state = device_state_,
          .name = device_.name(),
          .interface_type = facts_.interface_type,
          .localities = facts_.localities,
          .max_command = buffer_of(identity_.max_command, proto::kMaxTpmMessage),
          .max_response = buffer_of(identity_.max_response, device::ResponseMemory::kMostResponse),
          .times_lost = times_lost_,
          .problem = supervisor_.problem(),
          .advice = supervisor_.advice(),
          .on_device = dispatcher_.on_device(),
          .missing = missing_device_status(supervisor_.last_error())};
}

void Pump::carry_out() {
  // An action may bring new ones (an answer that makes a paused client's next frame be read): the
  // outermost call takes them all, in order.
  if (carrying_out_) return;
  carrying_out_ = true;
  while (true) {
    in_hand_ = dispatcher_.take_actions(std::move(in_hand_));
    if (in_hand_.empty()) break;
    // The TPM first: it works while answers are written, and a client that its answer wakes may
    // take the processor from us.
    for (sched::Action& action : in_hand_) {
      if (std::holds_alternative<sched::SendToDevice>(action)) perform(action);
    }
    for (sched::Action& action : in_hand_) {
      if (!std::holds_alternative<sched::SendToDevice>(action)) perform(action);
    }
  }
  carrying_out_ = false;
  arm_timer();
}

void Pump::perform(sched::Action& action) {
  std::visit(Overloaded{
                 [this](const sched::Answer& answer) {
                   TBS_PROBE(done, static_cast<std::uint64_t>(answer.context),
                             static_cast<std::uint64_t>(answer.request),
                             static_cast<std::uint32_t>(answer.status), answer.response.size());
                   events_.answer(answer);
                 },
                 [this](sched::SendToDevice& command) { transmit(command); },
                 [this](sched::CancelOnDevice&) {
                   TBS_PROBE(cancel_running);
                   device_.cancel();
                 },
                 [this](sched::ReopenDevice& lost) {
                   ++times_lost_;
                   device_down(lost.reason);
                 },
                 [this](sched::DeviceReady&) { device_ready(); },
                 [this](sched::DeviceUnusable& unusable) {
                   const std::string& problem = identity_.health.problem;
                   device_down(problem.empty() ? unusable.reason : problem);
                 },
                 [this](sched::DeviceBusy& busy) {
                   supervisor_.keeps_working(busy.reason);
                   events_.device_changed();
                 },
                 [this](sched::Quiesced&) {
                   if (const auto quiet = std::exchange(quiet_, nullptr)) quiet();
                 },
                 [this](sched::HandedOver&) { close_for_others(); },
                 [this](sched::HandoverOver&) {
                   if (const auto over = std::exchange(handover_.over, nullptr)) over();
                 },
                 [this](sched::GoOn&) {
                   deferred_.post([this] {
                     dispatcher_.tick(now());
                     carry_out();
                   });
                 },
                 [this](sched::Stopped&) {
                   ended_ = true;
                   timer_.cancel();
                   health_check_.cancel();
                   supervisor_.close([this] { stopped_(); });
                 },
             },
             action);
}

void Pump::transmit(const sched::SendToDevice& command) {
  const std::uint32_t code = code_of(command.command);
  TBS_PROBE(start, code, command.command.size(), command.locality);
  if (moves_context(code)) TBS_PROBE(swap, code);
  auto answered = [this](const device::Transceiver::Response& answer) { on_device_answer(answer); };
  if (command.resumed && may_have_sent_) {
    device_.resume(command.command, command.locality, std::move(answered));
    return;
  }
  if (events_.before_sending) events_.before_sending();
  device_.transmit(command.command, command.locality, std::move(answered));
}

void Pump::device_down(const std::string& reason) {
  device_state_ = proto::DeviceState::Down;
  supervisor_.reopen(reason);
  events_.device_changed();
}

void Pump::on_device_answer(const device::Transceiver::Response& answer) {
  if (answer) {
    TBS_PROBE(response, code_of(*answer), answer->size());
    if (device_state_ == proto::DeviceState::Ready && exec::casts_doubt(*answer)) {
      health_check_.doubt(now());
    }
    dispatcher_.device_responded(*answer, now());
  } else if (answer.error().error == E2BIG && !answer.error().reopen) {
    dispatcher_.device_refused(proto::Status::BufferTooLarge, text_of(answer.error()), now());
  } else {
    const device::Failure& failure = answer.error();
    const bool canceled = failure.error == ECANCELED;
    if (!canceled && !failure.reopen) {
      host::log_limited(spdlog::level::warn, host::Topic::DeviceFailure,
                        fmt::format("TPM {}: {}", device_.name(), text_of(failure)), concerned_);
    }
    dispatcher_.device_failed(text_of(failure), failure.reopen, canceled, now());
  }
  carry_out();
}

void Pump::mend_tpm() {
  if (identity_.health.failed && facts_.can_power_cycle) {
    device_.want_power_cycle();
    dispatcher_.device_gone(supervisor_.problem(), now());
  } else {
    dispatcher_.look_again(now());
  }
  carry_out();
}

void Pump::device_ready() {
  const exec::Health& health = identity_.health;
  if (health.problem.empty()) {
    device_state_ = proto::DeviceState::Ready;
    supervisor_.settled();
  } else {
    device_state_ = proto::DeviceState::Down;
    supervisor_.look_later(health.problem, health.advice);
  }
  events_.device_changed();
}

void Pump::arm_timer() {
  if (ended_) return;
  const auto deadline = dispatcher_.next_deadline();
  // A timer that fires too early costs one look; setting it anew for each command costs two system
  // calls. So it is only ever moved forward.
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  armed_ = *deadline;
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    armed_.reset();
    dispatcher_.tick(now());
    carry_out();
  });
}

}  // namespace tbs
