#include "daemon/exec/family_engine.h"

#include "daemon/exec/bring_up.h"

namespace tbs::exec {
void FamilyEngine::open_context(ContextId context, const Principal& principal) {
  tpm12_.open_context(context, principal);
  tpm20_.open_context(context, principal);
}

void FamilyEngine::skip_handles(ContextId context, std::uint32_t earlier) {
  tpm12_.skip_handles(context, earlier);
  tpm20_.skip_handles(context, earlier);
}

void FamilyEngine::inherit(ContextId heir, ContextId from) {
  tpm12_.inherit(heir, from);
  tpm20_.inherit(heir, from);
}

void FamilyEngine::close_context(ContextId context) {
  tpm12_.close_context(context);
  tpm20_.close_context(context);
}

std::unique_ptr<Execution> FamilyEngine::bring_up() {
  return std::make_unique<BringUp>(identity_, [this] { return behind().bring_up(); });
}

void FamilyEngine::device_lost() {
  tpm12_.device_lost();
  tpm20_.device_lost();
}

}  // namespace tbs::exec
