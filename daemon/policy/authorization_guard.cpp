#include "daemon/policy/authorization_guard.h"

#include "daemon/command/client_response.h"
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

}  // namespace

void AuthorizationGuard::restore(std::string_view known, std::function<void(std::string)> changed) {
  guard_.from_text(known, clock_());
  changed_ = std::move(changed);
}

void AuthorizationGuard::reset(std::optional<UserId> user) {
  if (user) {
    guard_.reset(*user);
  } else {
    guard_.reset_all();
  }
  changed_(guard_.to_text());
}

std::optional<proto::Buffer> AuthorizationGuard::refusal(const ClientCommand& command) {
  if (!watches(command) || !guard_.locked(command.requester().user, clock_())) return std::nullopt;
  if (observer_ != nullptr) observer_->held_back(command);
  return bare_response(command.family(), lockout_code(command.family()));
}

bool AuthorizationGuard::watches(const ClientCommand& command) const {
  return command.has_authorization() && !command.requester().is_administrator();
}

void AuthorizationGuard::responded(const ClientCommand& command, proto::Bytes response) {
  const auto result = result_of(command, response);
  if (!result || !is_counted_failure(command.family(), *result)) return;
  const UserId user = command.requester().user;
  guard_.failed(user, clock_());
  changed_(guard_.to_text());
  if (observer_ != nullptr && guard_.locked(user, clock_())) observer_->locked_out(command);
}

}  // namespace tbs::policy
