#pragma once

// What the resource manager has to tell, as lines of the log.

#include <functional>
#include <utility>

#include "daemon/exec/observer.h"

namespace tbs {

class RmLog : public exec::Observer {
 public:
  // `told_before`: whether what happens has happened before, and is in the log already.
  explicit RmLog(std::function<bool()> told_before) : told_before_(std::move(told_before)) {}

  void loaded_lost(exec::LossCause cause, std::size_t objects, std::size_t sessions) override;
  void lost(UserId user, std::uint32_t handle, std::uint32_t response_code) override;
  void session_dropped(UserId user, std::uint32_t handle, std::string_view reason) override;
  void lockout_learnt(const tpm::Lockout& lockout) override { lockout_learnt_(lockout); }
  void tables_differ(std::string_view difference) override;
  void older_state_loaded(std::uint32_t handle) override;

  // Whom to tell what the TPM says about failed authorizations.
  void on_lockout_learnt(std::function<void(const tpm::Lockout&)> told) {
    lockout_learnt_ = std::move(told);
  }
  [[nodiscard]] std::size_t differences() const { return differences_; }

 private:
  std::function<bool()> told_before_;
  std::function<void(const tpm::Lockout&)> lockout_learnt_ = [](const tpm::Lockout&) {};
  std::size_t differences_ = 0;
};

}  // namespace tbs
