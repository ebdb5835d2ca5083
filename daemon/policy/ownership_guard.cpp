#include "daemon/policy/ownership_guard.h"

#include "daemon/command/client_response.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/response_code.h"

namespace tbs::policy {
namespace {

std::uint32_t no_space(Family family) {
  return family == Family::Tpm12 ? tpm12::rc::kNoSpace
                                 : tpm::by_resource_manager(tpm::rc::kNvSpace);
}

}  // namespace

void OwnershipGuard::restore(std::string_view known, std::function<void(std::string)> changed) {
  ownership_.from_text(known);
  told_ = known;
  changed_ = std::move(changed);
}

void OwnershipGuard::learn(const tpm::Inventory& inventory) {
  ownership_.learn(inventory, clock_());
  tell_change();
}

void OwnershipGuard::tell_change() {
  std::string text = ownership_.to_text();
  if (text == told_) return;
  told_ = text;
  changed_(std::move(text));
}

bool OwnershipGuard::has_room(const LastingChange& change, AccountId account) const {
  const Ownership::Usage usage = ownership_.of(account);
  const auto own = own_limits_.find(account);
  const Limits& limits = own == own_limits_.end() ? limits_ : own->second;
  if (change.persistent) return usage.persistent_objects < limits.persistent_per_user;
  if (change.replaces && ownership_.owner_of(change, account) == rules::Owner::Self) {
    return change.bytes <= limits.nv_bytes_per_user;
  }
  return usage.nv_indices < limits.nv_indices_per_user &&
         usage.nv_bytes + change.bytes <= limits.nv_bytes_per_user;
}

std::optional<proto::Buffer> OwnershipGuard::refusal(const ClientCommand& command) {
  const auto change = lasting_change_of(command, commands_);
  ownership_.expect_nothing();
  if (!change) return std::nullopt;
  if (judge_ != nullptr) {
    if (auto response = judge_->judge(command)) return response;
  }
  const Requester& requester = command.requester();
  if (change->kind == LastingChange::Kind::Makes && !requester.is_administrator() &&
      !has_room(*change, requester.account)) {
    return bare_response(command.family(), no_space(command.family()));
  }
  ownership_.expect(*change, requester.account);
  return std::nullopt;
}

bool OwnershipGuard::watches(const ClientCommand& command) const {
  const auto change = lasting_change_of(command, commands_);
  return change && change->kind != LastingChange::Kind::Changes;
}

void OwnershipGuard::responded(const ClientCommand& command, proto::Bytes response) {
  const auto result = result_of(command, response);
  const auto change = lasting_change_of(command, commands_);
  if (!change || result != tpm::rc::kSuccess) return;
  ownership_.apply(*change, command.requester().account);
  tell_change();
}

}  // namespace tbs::policy
