#include "daemon/rm/tpm_probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/tpm/response_code.h"
#include "daemon/tpm/response_view.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"

namespace tbs::rm {
namespace {

using proto::Bytes;

constexpr std::uint32_t kPropertiesPerQuery = 64;
constexpr std::uint32_t kCommandsPerQuery = 254;
// More than any TPM implements: a device that lists without end is refused.
constexpr std::size_t kMaxCommands = 4096;
// What a TPM may claim to have room for and still be believed.
constexpr std::size_t kMaxSlots = 64;
// Part 2, "TPM_PT_CONTEXT_GAP_MAX": 2^n - 1, with n at least 8.
constexpr std::uint64_t kLeastContextGap = 255;

std::optional<Bytes> parameters_of(Bytes response) {
  const auto view = tpm::parse_response(response, {});
  if (!view || !view->success()) return std::nullopt;
  return view->parameters;
}

void learn(Facts& facts, const tpm::Property& property) {
  switch (property.name) {
    case tpm::pt::kHrTransientMin:
      facts.guaranteed_objects = std::clamp<std::size_t>(property.value, 1, kMaxSlots);
      break;
    case tpm::pt::kHrLoadedMin:
      facts.guaranteed_sessions = std::clamp<std::size_t>(property.value, 1, kMaxSlots);
      break;
    case tpm::pt::kActiveSessionsMax:
      facts.active_sessions = property.value;
      break;
    case tpm::pt::kContextGapMax:
      facts.context_gap = std::max<std::uint64_t>(property.value, kLeastContextGap);
      break;
    case tpm::pt::kMaxCommandSize:
      facts.max_command_size = property.value;
      break;
    default:
      break;
  }
}

void learn_room(Facts& facts, const tpm::Property& property) {
  const std::size_t room = std::min<std::size_t>(property.value, kMaxSlots);
  if (property.name == tpm::pt::kHrTransientAvail) {
    facts.object_slots = std::max(facts.guaranteed_objects, room);
  } else if (property.name == tpm::pt::kHrLoadedAvail) {
    facts.session_slots = std::max(facts.guaranteed_sessions, room);
  }
}

}  // namespace

TpmProbe::TpmProbe(State& state, Reason reason) : state_(state), reason_(reason) {
  static constexpr std::array kBringUp = {Stage::Start,    Stage::Clock,   Stage::Fixed,
                                          Stage::Commands, Stage::Handles, Stage::Strays,
                                          Stage::Room,     Stage::Over};
  static constexpr std::array kRestart = {Stage::Start, Stage::Clock, Stage::Handles, Stage::Strays,
                                          Stage::Over};
  static constexpr std::array kLockout = {Stage::Lockout, Stage::Over};
  static constexpr std::array kLook = {Stage::Clock, Stage::Handles, Stage::Strays, Stage::Over};
  switch (reason) {
    case Reason::BringUp:
      stages_ = kBringUp;
      break;
    case Reason::Restart:
      stages_ = kRestart;
      break;
    case Reason::Check:
    case Reason::Removal:
      stages_ = kLook;
      break;
    case Reason::Lockout:
      stages_ = kLockout;
      property_ = first_property();
      return;
  }
  state_.capabilities.clear();
}

std::uint32_t TpmProbe::first_property() const {
  switch (stages_.front()) {
    case Stage::Fixed:
      return tpm::pt::kFixed;
    case Stage::Room:
      return tpm::pt::kVariable;
    case Stage::Lockout:
      return tpm::pt::kLockoutCounter;
    case Stage::Commands:
      return tpm::cc::kFirst;
    default:
      return 0;
  }
}

exec::LossCause TpmProbe::cause() const {
  if (reset_) return exec::LossCause::Reset;
  return restarted_ ? exec::LossCause::Restart : exec::LossCause::NotThere;
}

void TpmProbe::advance() {
  stages_ = stages_.subspan(1);
  property_ = first_property();
  if (stages_.front() != Stage::Over) return;
  if (lockout_.limit != 0) state_.observer.lockout_learnt(lockout_);
  if (reason_ == Reason::Lockout) return;
  state_.check_due = state_.start_due = false;
  const bool lost = losses_.objects + losses_.sessions != 0 && reason_ == Reason::Check;
  if (reset_ || restarted_ || lost) {
    state_.observer.loaded_lost(cause(), losses_.objects, losses_.sessions);
  }
}

std::optional<proto::Buffer> TpmProbe::next() {
  if (stages_.front() == Stage::Strays && !state_.first_stray()) advance();
  switch (stages_.front()) {
    case Stage::Start:
      return tpm::build::startup(tpm::kStartupClear);
    case Stage::Clock:
      return tpm::build::read_clock();
    case Stage::Fixed:
    case Stage::Room:
    case Stage::Lockout:
      return tpm::build::get_capability(tpm::cap::kProperties, property_, kPropertiesPerQuery);
    case Stage::Commands:
      return tpm::build::get_capability(tpm::cap::kCommands, property_, kCommandsPerQuery);
    case Stage::Handles:
      return lists_.next();
    case Stage::Strays:
      return tpm::build::flush_context(number_of(*state_.first_stray()));
    case Stage::Over:
      break;
  }
  return std::nullopt;
}

bool TpmProbe::take(Bytes response) {
  switch (stages_.front()) {
    case Stage::Start:
      return take_start(response);
    case Stage::Clock:
      return take_clock(response);
    case Stage::Fixed:
      return take_fixed(response);
    case Stage::Commands:
      return take_commands(response);
    case Stage::Handles:
      return take_handles(response);
    case Stage::Room:
    case Stage::Lockout:
      return take_room(response);
    case Stage::Strays: {
      // Whatever the TPM said, it is not asked twice.
      const exec::PhysicalHandle handle = *state_.first_stray();
      std::erase(state_.stray_objects, handle);
      std::erase(state_.stray_sessions, handle);
      return true;
    }
    case Stage::Over:
      break;
  }
  return false;
}

bool TpmProbe::take_start(Bytes response) {
  const auto view = tpm::parse_response(response, {});
  // INITIALIZE: somebody has started it already.
  if (!view || (!view->success() && view->code != tpm::rc::kInitialize)) return false;
  if (view->success()) {
    restarted_ = state_.facts.counts.has_value();
    const Losses lost = drop_loaded(state_);
    losses_.objects += lost.objects;
    losses_.sessions += lost.sessions;
  }
  advance();
  return true;
}

bool TpmProbe::take_clock(Bytes response) {
  const auto view = tpm::parse_response(response, {});
  if (!view) return false;
  // A TPM without a clock can be used all the same; resets are then noticed by what they destroyed.
  if (!view->success()) {
    advance();
    return true;
  }
  const auto time = tpm::unmarshal<TPMS_TIME_INFO>(view->parameters);
  if (!time) return false;
  lockout_.clock = time->clockInfo.clock;
  judge_counts({.resets = time->clockInfo.resetCount, .restarts = time->clockInfo.restartCount});
  advance();
  return true;
}

void TpmProbe::judge_counts(const ResetCounts& counts) {
  const auto before = std::exchange(state_.facts.counts, counts);
  if (!before || *before == counts || reason_ == Reason::Removal) return;
  // It may have forgotten failures, or counts the loss of power as one.
  state_.lockout_due = true;
  reset_ = before->resets != counts.resets;
  restarted_ = true;
  const Losses lost = reset_ ? drop_everything(state_) : drop_loaded(state_);
  losses_.objects += lost.objects;
  losses_.sessions += lost.sessions;
}

bool TpmProbe::take_fixed(Bytes response) {
  const auto parameters = parameters_of(response);
  if (!parameters) return false;
  const auto list = tpm::parse_properties(*parameters);
  if (!list) return false;
  for (const tpm::Property& property : list->items) learn(state_.facts, property);
  const std::uint32_t last = list->items.empty() ? tpm::pt::kVariable : list->items.back().name;
  // Ascending, so a device that repeats itself does not keep us here.
  if (list->more && last >= property_ && last < tpm::pt::kVariable - 1) {
    property_ = last + 1;
  } else {
    advance();
  }
  return true;
}

bool TpmProbe::take_commands(Bytes response) {
  const auto parameters = parameters_of(response);
  if (!parameters) return false;
  const auto list = tpm::parse_words(*parameters, tpm::cap::kCommands);
  if (!list) return false;
  attributes_.insert(attributes_.end(), list->items.begin(), list->items.end());
  if (list->more && !list->items.empty() && attributes_.size() < kMaxCommands) {
    const std::uint32_t last = list->items.back();
    property_ = (last & (TPMA_CC_COMMANDINDEX_MASK | tpm::cc::kVendorBit)) + 1;
    return true;
  }
  state_.commands.load(attributes_);
  advance();
  return !state_.commands.empty();
}

bool TpmProbe::take_handles(Bytes response) {
  if (!lists_.take(response)) return false;
  if (lists_.next()) return true;
  compare();
  advance();
  return true;
}

void TpmProbe::compare() {
  const Missing missing = reason_ == Reason::Removal ? Missing::Drop : Missing::Reload;
  const Losses lost = reconcile(state_, lists_, missing);
  losses_.objects += lost.objects;
  losses_.sessions += lost.sessions;
  if (reason_ != Reason::BringUp || !state_.options.remove_saved_sessions) return;
  if (!std::exchange(state_.brought_up, true)) adopt_unknown_saved_sessions(state_, lists_);
}

bool TpmProbe::take_room(Bytes response) {
  const auto parameters = parameters_of(response);
  if (!parameters) return false;
  const auto list = tpm::parse_properties(*parameters);
  if (!list) return false;
  for (const tpm::Property& property : list->items) {
    if (stages_.front() == Stage::Room) learn_room(state_.facts, property);
    lockout_.take(property);
  }
  advance();
  return true;
}

}  // namespace tbs::rm
