#pragma once

// What the resource manager has to tell, as lines of the log.

#include "daemon/exec/observer.h"

namespace tbs {

class RmLog : public exec::Observer {
 public:
  void tpm_restarted(bool reset, std::size_t objects_lost, std::size_t sessions_lost) override;
  void lost(UserId user, std::uint32_t handle, std::uint32_t response_code) override;
  void session_dropped(UserId user, std::uint32_t handle, std::string_view reason) override;
  void tables_differ(std::string_view difference) override;

  [[nodiscard]] std::size_t differences() const { return differences_; }

 private:
  std::size_t differences_ = 0;
};

}  // namespace tbs
