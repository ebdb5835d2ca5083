#pragma once

// What the engine's parts are told past exec::Engine: by the configuration, by the admission of
// clients, and by administrators.

#include <map>
#include <optional>
#include <variant>

#include "daemon/base/ids.h"
#include "daemon/base/record.h"
#include "daemon/exec/limits.h"
#include "daemon/policy/limits.h"
#include "daemon/policy/lockout_guard.h"

namespace tbs::restart {

// RawContextRouter::claim().
struct RawContext {
  ContextId context{};

  template <typename Record>
  void fields(Record& record) {
    record(context);
  }
};

// ResourceManager::configure(), of both families.
struct ManagerOptions {
  exec::Options options;  // the clock aside

  template <typename Record>
  void fields(Record& record) {
    record(options);
  }
};

// OwnershipGuard::set_limits().
struct LastingLimits {
  policy::Limits limits;
  std::map<AccountId, policy::Limits> own_limits;

  template <typename Record>
  void fields(Record& record) {
    record(limits, own_limits);
  }
};

// AuthorizationGuard::reset().
struct ForgetFailures {
  std::optional<AccountId> account;

  template <typename Record>
  void fields(Record& record) {
    record(account);
  }
};

// With AuthorizationGuard::set_limits(). Their places stand in the log.
using Setting =
    std::variant<RawContext, ManagerOptions, policy::LockoutLimits, LastingLimits, ForgetFailures>;

void save(const Setting& setting, RecordWriter& record);
// Of no use when the reader has failed.
Setting restore_setting(RecordReader& record);

}  // namespace tbs::restart
