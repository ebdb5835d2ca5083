#include "daemon/tpm12/response_code.h"

#include "proto/tpm12/constants.h"

namespace tbs::tpm12 {

Remedy remedy_of(std::uint32_t code) {
  switch (code) {
    case rc::kRetry:
    case rc::kDoingSelfTest:
      return Remedy::Wait;
    case rc::kNeedsSelfTest:
      return Remedy::SelfTest;
    case rc::kResources:
    case rc::kNoSpace:
      return Remedy::FreeSlot;
    case rc::kNoContextSpace:
    case rc::kTooManyContexts:
      return Remedy::DropSession;
    case rc::kContextGap:
      return Remedy::RenewOldest;
    case rc::kInvalidKeyHandle:
    case rc::kInvalidAuthHandle:
    case rc::kInvalidResource:
    case rc::kBadHandle:
      return Remedy::CheckTables;
    case rc::kInvalidPostInit:
      return Remedy::Start;
    default:
      return Remedy::None;
  }
}

}  // namespace tbs::tpm12
