#pragma once

// What can be done about a TPM 1.2 return code.

#include <cstdint>

namespace tbs::tpm12 {

enum class Remedy : std::uint8_t {
  None,         // it is the answer
  Wait,         // send the same again later
  SelfTest,     // TPM_ContinueSelfTest, then the same again
  FreeSlot,     // something loaded has to be evicted
  DropSession,  // the list of saved sessions is full
  RenewOldest,  // the oldest saved session has become too old
  CheckTables,  // a handle that should be there is not
  Start,        // the TPM wants TPM_Startup
};

Remedy remedy_of(std::uint32_t code);

}  // namespace tbs::tpm12
