#pragma once

// The TPMs that tenants have of their own: each a service (tpm_service.h), started and ended as the
// configuration names them.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/server/socket_profile.h"
#include "daemon/tpm_service.h"

namespace tbs {

class TenantTpms {
 public:
  // `may_start_programs`: whether the daemon's filter of system calls allows it, as a TPM needs it.
  TenantTpms(const TpmService::Shared& shared, bool may_start_programs)
      : shared_(shared), may_start_programs_(may_start_programs) {
    shared_.keeper = nullptr;  // a restart starts them anew
  }

  // Starts those of new tenants, ends those of tenants that are no more or have another TPM now,
  // and configures the others. `profiles` are those of the tenants' sockets.
  void configure(const Config& config, const rules::Rules& rules,
                 const std::vector<server::SharedProfile>& profiles);
  // Null when the tenant has none, or not yet.
  [[nodiscard]] TpmService* find(std::string_view tenant);
  // How many their clients may need.
  [[nodiscard]] std::size_t descriptors() const;

  // Of each that is not ending.
  void add_readings(bool with_users, std::vector<metrics::TpmReading>& readings) const;

  // Also those that are ending already.
  void stop_all(std::function<void()> stopped);
  void disconnect_all();
  [[nodiscard]] std::size_t differences() const;

 private:
  struct Settings {
    Config config;
    rules::Rules rules;
    server::SharedProfile profile;
  };
  struct Entry {
    Settings settings;
    std::unique_ptr<TpmService> service;
    bool ending = false;
    std::optional<Settings> next;  // of the one that is started then
  };

  void set(const std::string& name, Settings settings);
  void start(const std::string& name, Settings settings);
  void end(const std::string& name, Entry& entry);
  void ended(const std::string& name);
  void tell_if_all_stopped();

  TpmService::Shared shared_;
  bool may_start_programs_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::size_t past_differences_ = 0;  // of those that have ended
  std::function<void()> all_stopped_;
};

}  // namespace tbs
