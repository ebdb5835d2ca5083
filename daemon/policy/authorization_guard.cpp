#include "daemon/policy/authorization_guard.h"

#include "daemon/command/client_response.h"
#include "daemon/policy/lockout_authorization.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/response_code.h"

namespace tbs::policy {
namespace {

// Whether the TPM counts what it has answered as a failure.
bool is_counted_failure(Family family, std::uint32_t response_code) {
  if (family == Family::Tpm20) return tpm::is_auth_fail(response_code);
  return response_code == tpm12::rc::kAuthFail || response_code == tpm12::rc::kAuth2Fail;
}

std::uint32_t lockout_code(Family family) {
  return family == Family::Tpm12 ? tpm12::rc::kDefendLockRunning : tpm::rc::kLockout;
}

LockoutGuard::Key key_of(const ClientCommand& command) {
  return command.requester().account;
}

bool is_under_guard(const ClientCommand& command) {
  return command.has_authorization() && !command.requester().is_administrator();
}

// Whoever asks the TPM for its counter, the guard learns it too.
bool asks_for_counter(const ClientCommand& command) {
  if (command.family() != Family::Tpm20 || command.code() != tpm::cc::kGetCapability) return false;
  const proto::Bytes bytes = command.bytes();
  const auto query = tpm::parse_capability_query(bytes.subspan(tpm::kHeaderSize));
  return query && query->capability == tpm::cap::kProperties &&
         query->property <= tpm::pt::kLockoutCounter;
}

// Nothing unless the response has all of it.
std::optional<tpm::Lockout> parse_lockout(proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != tpm::rc::kSuccess) return std::nullopt;
  const auto list = tpm::parse_properties(response.subspan(tpm::kHeaderSize));
  if (!list) return std::nullopt;
  tpm::Lockout lockout;
  std::uint32_t known = 0;
  for (const tpm::Property& property : list->items) {
    if (property.name < tpm::pt::kLockoutCounter || property.name > tpm::pt::kLockoutRecovery) {
      continue;
    }
    lockout.take(property);
    ++known;
  }
  if (known != tpm::kLockoutProperties) return std::nullopt;
  return lockout;
}

}  // namespace

void AuthorizationGuard::restore(std::string_view known, std::function<void(std::string)> changed) {
  changed_ = std::move(changed);
  const MachineTime machine = clock_();
  const bool ours = time_.restore(known.substr(0, known.find('\n')), machine);
  // An older daemon wrote times of the wall clock.
  guard_.from_text(known, ours ? now() : machine.wall, now());
}

void AuthorizationGuard::learn(const tpm::Lockout& lockout) {
  if (lockout.clock != 0) time_.learn_tpm_clock(lockout.clock, clock_());
  lockout_recovery_ = lockout.recovery;
  if (guard_.learn(lockout, now())) tell_change();
}

void AuthorizationGuard::reset(std::optional<LockoutGuard::Key> user) {
  if (user) {
    guard_.reset(*user);
  } else {
    guard_.reset_all();
  }
  tell_change();
}

bool AuthorizationGuard::locked(const ClientCommand& command, std::uint64_t now) const {
  switch (guard_.hold(key_of(command), now)) {
    case LockoutGuard::Hold::None:
      return false;
    case LockoutGuard::Hold::Failures:
      return true;
    case LockoutGuard::Hold::Tpm:
      break;
  }
  return commands_ == nullptr || !raises_no_counter(command, *commands_, unbound_);
}

std::optional<proto::Buffer> AuthorizationGuard::refusal(const ClientCommand& command) {
  const bool forbidden = names_lockout(command) && !command.requester().is_administrator();
  if (!forbidden) {
    if (!is_under_guard(command)) return std::nullopt;
    const std::uint64_t time = now();
    if (!locked(command, time)) return std::nullopt;
    // The TPM itself is asked before it is held back.
    if (command.family() == Family::Tpm20 && guard_.knowledge_is_old(time)) return std::nullopt;
  }
  if (observer_ != nullptr) observer_->held_back(command);
  return bare_response(command.family(), lockout_code(command.family()));
}

std::optional<proto::Buffer> AuthorizationGuard::question(const ClientCommand& command) {
  if (command.family() != Family::Tpm20 || !is_under_guard(command)) return std::nullopt;
  const std::uint64_t time = now();
  if (!locked(command, time) || !guard_.knowledge_is_old(time)) return std::nullopt;
  guard_.asked(time);
  return tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kLockoutCounter,
                                    tpm::kLockoutProperties);
}

void AuthorizationGuard::answered(proto::Bytes response) {
  if (const auto lockout = parse_lockout(response)) learn(*lockout);
}

bool AuthorizationGuard::watches(const ClientCommand& command) const {
  return is_under_guard(command) || names_lockout(command) || asks_for_counter(command) ||
         command.code() == tpm::cc::kStartAuthSession;
}

void AuthorizationGuard::responded(const ClientCommand& command, proto::Bytes response) {
  if (asks_for_counter(command)) return answered(response);
  unbound_.note(command, response);
  const auto result = result_of(command, response);
  if (!result || !is_counted_failure(command.family(), *result)) return;
  if (names_lockout(command)) return tell_lockout_auth(command);
  if (!is_under_guard(command)) return;
  guard_.failed(key_of(command), now());
  tell_change();
  if (observer_ != nullptr && guard_.locked(key_of(command), now())) {
    observer_->locked_out(command);
  }
}

void AuthorizationGuard::tell_lockout_auth(const ClientCommand& command) const {
  if (observer_ != nullptr) observer_->lockout_auth_failed(command, lockout_recovery_);
}

void AuthorizationGuard::tell_change() const {
  const std::string failures = guard_.to_text();
  changed_(failures.empty() ? failures : time_.to_text(clock_()) + failures);
}

}  // namespace tbs::policy
