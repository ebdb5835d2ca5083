#include "daemon/rm12/tpm_probe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/response.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {
namespace {

namespace prop = tpm12::prop;
namespace rc = tpm12::rc;

constexpr std::array<std::uint32_t, 5> kTypes = {
    static_cast<std::uint32_t>(Kind::Key), static_cast<std::uint32_t>(Kind::Auth),
    static_cast<std::uint32_t>(Kind::Transport), static_cast<std::uint32_t>(Kind::Daa),
    tpm12::kResourceContext};

constexpr std::array kProperties = {prop::kKeys, prop::kAuthSessions, prop::kTransportSessions,
                                    prop::kContextDistance};

HandleLists::List handles(const HandleLists::Counts& numbers) {
  if (!numbers) return std::nullopt;
  std::vector<exec::PhysicalHandle> list;
  for (const std::uint32_t number : *numbers) list.push_back(exec::PhysicalHandle{number});
  return list;
}

// What is left, and what is taken by ours.
void learn(State& state, std::uint32_t property, std::uint32_t value) {
  Facts& facts = state.facts;
  switch (property) {
    case prop::kKeys:
      return facts.keys.set(value + state.in_tpm(Kind::Key));
    case prop::kAuthSessions:
      return facts.auths.set(value + state.in_tpm(Kind::Auth));
    case prop::kTransportSessions:
      return facts.transports.set(value + state.in_tpm(Kind::Transport));
    default:
      // Part 3 asks for 2^16 - 1 at least.
      facts.context_distance = std::max<std::uint32_t>(value, 0xFF);
  }
}

}  // namespace

std::optional<proto::Buffer> ListHandles::next() const {
  if (asked_ == kTypes.size()) return std::nullopt;
  return tpm12::build::get_capability(tpm12::cap::kHandle, kTypes[asked_]);
}

bool ListHandles::take(proto::Bytes response) {
  const auto view = tpm12::parse_response(response);
  if (!view) return false;
  const std::uint32_t type = kTypes[asked_++];
  if (!view->success()) return true;
  auto entries = tpm12::parse_handle_list(view->parameters);
  if (type == tpm12::kResourceContext) {
    lists_.saved_sessions = std::move(entries);
  } else {
    lists_.of(static_cast<Kind>(type)) = handles(entries);
  }
  return true;
}

TpmProbe::TpmProbe(State& state, Reason reason)
    : state_(state), reason_(reason), starting_(reason == Reason::Restart) {
  state_.check_due = false;
}

std::optional<proto::Buffer> TpmProbe::next() {
  if (starting_) return tpm12::build::startup_clear();
  if (auto command = handles_.next()) return command;
  if (!std::exchange(compared_, true)) compare();
  return std::nullopt;
}

bool TpmProbe::take(proto::Bytes response) {
  if (!starting_) return handles_.take(response);
  starting_ = false;
  const auto view = tpm12::parse_response(response);
  const bool started = view && (view->success() || view->code == rc::kInvalidPostInit);
  if (started) state_.start_due = false;
  return started;
}

void TpmProbe::compare() {
  const Losses losses = drop_missing(state_, handles_.lists());
  if (reason_ == Reason::Check) return;
  if (losses.keys + losses.sessions != 0) {
    state_.observer.loaded_lost(exec::LossCause::NotThere, losses.keys, losses.sessions);
  }
  find_strays(state_, handles_.lists(), !state_.brought_up && state_.options.remove_saved_sessions);
  state_.brought_up = true;
}

std::optional<proto::Buffer> Room::next() const {
  if (asked_ == kProperties.size()) return std::nullopt;
  return tpm12::build::get_capability(tpm12::cap::kProperty, kProperties[asked_]);
}

bool Room::take(proto::Bytes response) {
  const auto view = tpm12::parse_response(response);
  if (!view) return false;
  const auto value =
      view->success() ? tpm12::parse_capability_word(view->parameters) : std::nullopt;
  if (value) learn(state_, kProperties[asked_], *value);
  ++asked_;
  return true;
}

}  // namespace tbs::rm12
