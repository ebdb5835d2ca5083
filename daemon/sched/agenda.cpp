#include "daemon/sched/agenda.h"

#include <algorithm>
#include <utility>

namespace tbs::sched {
namespace {

// While a command waits: what one command can make due is done in this many.
constexpr unsigned kMostBeforeClient = 4;
// While none does.
constexpr unsigned kMostInARow = 32;

}  // namespace

void Agenda::stop(bool owns_power) {
  stopping_ = true;
  owns_power_ = owns_power;
  if (sleep_.falling_asleep()) actions_.add(Quiesced{});
  sleep_.wake_up();
}

Work Agenda::bring_up() {
  look_first_ = false;
  own_in_a_row_ = 0;
  return {.kind = WorkKind::BringUp, .execution = engine_.bring_up()};
}

std::optional<Work> Agenda::next(TimePoint now) {
  idle_at_.reset();
  command_at_.reset();
  if (sleep_.asleep()) return before_sleep(now);
  if (look_first_) return bring_up();
  if (auto work = housekeeping()) {
    return Work{.kind = WorkKind::Maintenance, .execution = std::move(work)};
  }
  if (stopping_) {
    return Work{.kind = WorkKind::Shutdown, .execution = engine_.shutdown(owns_power_)};
  }
  if (sleep_.falling_asleep()) return before_sleep(now);
  if (handover_.wanted()) return before_handover();
  if (auto command = next_command(now)) {
    own_in_a_row_ = 0;
    if (queue_.last_was_new()) actions_.count_started(*command, queue_.last_waited());
    auto execution = engine_.execute(command);
    return Work{.kind = WorkKind::Command,
                .execution = std::move(execution),
                .command = std::move(command)};
  }
  wait_for_work(now);
  return std::nullopt;
}

std::unique_ptr<exec::Execution> Agenda::housekeeping() {
  if (own_in_a_row_ >= (queue_.empty() ? kMostInARow : kMostBeforeClient)) return nullptr;
  auto work = engine_.housekeeping();
  if (work != nullptr) ++own_in_a_row_;
  return work;
}

SharedCommand Agenda::next_command(TimePoint now) {
  if (unready_.all_until(now)) return nullptr;
  return queue_.pop(
      now, swap_cost_.slice(),
      [this](const ClientCommand& command) { return engine_.loads_needed(command) == 0; },
      [this, now](const ClientCommand& command) { return unready_.until(command, now); });
}

void Agenda::wait_for_work(TimePoint now) {
  if (queue_.empty()) {
    idle_at_ = now + idle_delay_;
  } else {
    const auto all = unready_.all_until(now);
    command_at_ = all ? all : queue_.next_back();
  }
  maintenance_at_ = engine_.next_maintenance();
  // The engine was asked just now and had nothing: asking again at once would be no different.
  if (maintenance_at_ && *maintenance_at_ <= now) maintenance_at_.reset();
}

void Agenda::ended(const EndedWork& work, TimePoint now) {
  if (!work.command) return;
  if (work.transmitted) actions_.count_worked(*work.command, work.took, work.swapping);
  if (work.transmitted && work.later == exec::Later::No && work.status == proto::Status::Success) {
    unready_.taken(*work.command);
  }
  swap_cost_.learn(work.swapping);
  queue_.finished(work.took, now);
}

bool Agenda::put_back(const EndedWork& work, std::chrono::seconds may_take, TimePoint now) {
  unready_.refused(*work.command, work.later, now);
  return queue_.put_back(work.command, std::min(may_take, exec::kPatience), now);
}

void Agenda::context_closed() {
  if (queue_.empty()) own_in_a_row_ = 0;
}

bool Agenda::maintenance_due(TimePoint now) {
  if (!maintenance_at_ || now < *maintenance_at_) return false;
  maintenance_at_.reset();
  own_in_a_row_ = 0;
  return true;
}

bool Agenda::command_due(TimePoint now) {
  if (!command_at_ || now < *command_at_) return false;
  command_at_.reset();
  return true;
}

std::optional<Work> Agenda::idle_work(TimePoint now) {
  if (!idle_at_ || now < *idle_at_) return std::nullopt;
  idle_at_.reset();
  if (own_in_a_row_ >= kMostInARow) return std::nullopt;
  auto work = engine_.idle_housekeeping();
  if (work == nullptr) return std::nullopt;
  ++own_in_a_row_;
  return Work{.kind = WorkKind::IdleMaintenance, .execution = std::move(work)};
}

std::optional<TimePoint> Agenda::deadline() const {
  return earliest(command_at_, earliest(maintenance_at_, idle_at_));
}

void Agenda::enter_suspend(TimePoint now) {
  sleep_.enter_suspend(now);
  actions_.add(Quiesced{});
}

void Agenda::wake_up() {
  if (sleep_.falling_asleep()) actions_.add(Quiesced{});
  sleep_.wake_up();
  look_first();
}

std::optional<Work> Agenda::before_sleep(TimePoint now) {
  idle_at_.reset();
  maintenance_at_.reset();
  if (sleep_.asleep()) return std::nullopt;
  if (!std::exchange(sleep_.emptied, true)) {
    if (auto work = engine_.evict_all()) {
      return Work{.kind = WorkKind::Maintenance, .execution = std::move(work)};
    }
  }
  enter_suspend(now);
  return std::nullopt;
}

std::optional<Work> Agenda::before_handover() {
  maintenance_at_.reset();
  if (std::exchange(handover_.emptied, true)) return std::nullopt;
  if (auto work = engine_.evict_all()) {
    return Work{.kind = WorkKind::Maintenance, .execution = std::move(work)};
  }
  return std::nullopt;
}

}  // namespace tbs::sched
