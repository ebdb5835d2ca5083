#pragma once

// What the resource manager has to tell an administrator. The core does not log: whoever runs it
// implements this. Calls come from within the execution's steps.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/base/ids.h"
#include "daemon/tpm/lockout.h"

namespace tbs::exec {

// What made the TPM forget what was loaded.
enum class LossCause : std::uint8_t {
  Reset,     // by its own count
  Restart,   // by its own count
  Device,    // it was lost, and what was loaded is given up
  NotThere,  // the TPM does not list it any more
};

class Observer {
 public:
  virtual ~Observer() = default;

  // What could not be kept is gone.
  virtual void loaded_lost(LossCause cause, std::size_t objects, std::size_t sessions) {
    static_cast<void>(cause);
    static_cast<void>(objects);
    static_cast<void>(sessions);
  }
  // An object or a session of this user could not be saved or loaded again, and was dropped.
  virtual void lost(UserId user, std::uint32_t handle, std::uint32_t response_code) {
    static_cast<void>(user);
    static_cast<void>(handle);
    static_cast<void>(response_code);
  }
  // A session was flushed to make room for another one: an orphan, or one of a user with too many.
  virtual void session_dropped(UserId user, std::uint32_t handle, std::string_view reason) {
    static_cast<void>(user);
    static_cast<void>(handle);
    static_cast<void>(reason);
  }
  // What the TPM says about its protection against guessing, after each look at it.
  virtual void lockout_learnt(const tpm::Lockout& lockout) { static_cast<void>(lockout); }
  // With Options::verify: the tables and the TPM do not agree.
  virtual void tables_differ(std::string_view difference) { static_cast<void>(difference); }
  // With Options::verify: what is about to be loaded has been used since that context was saved.
  // This must never happen: what a client does with the handle from now on has wrong results.
  virtual void older_state_loaded(std::uint32_t handle) { static_cast<void>(handle); }
};

}  // namespace tbs::exec
