// What metrics read of a service.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "daemon/policy/limits.h"
#include "daemon/tpm_service.h"

namespace tbs {
namespace {

metrics::DeviceReading device_reading(const server::DeviceView& device,
                                      const exec::TpmIdentity& tpm) {
  metrics::DeviceReading reading{.state = device.state,
                                 .losses = device.times_lost,
                                 .name = std::string(device.name),
                                 .manufacturer = tpm.manufacturer,
                                 .family = {}};
  if (tpm.family) reading.family = *tpm.family == Family::Tpm12 ? "1.2" : "2.0";
  return reading;
}

metrics::LockoutReading lockout_reading(const policy::AuthorizationGuard& guard) {
  metrics::LockoutReading reading{.tpm_failures = guard.tpm().counter,
                                  .tpm_limit = guard.tpm().limit};
  for (const policy::LockoutGuard::Entry& entry : guard.entries()) {
    ++reading.users_failed;
    if (entry.locked) ++reading.users_locked;
  }
  return reading;
}

// Those who have most, so that a page stays short.
std::vector<metrics::Named> users_of(const Tally<AccountId>& contexts) {
  constexpr std::size_t kMostUsers = 256;
  std::vector<metrics::Named> users;
  contexts.for_most(kMostUsers, [&](AccountId account, std::size_t amount) {
    users.push_back({.name = std::to_string(shown_number(user_of(account))), .number = amount});
  });
  return users;
}

void add_role(metrics::TpmReading& reading, const server::Server::RoleUsage& of) {
  using policy::Limits;
  reading.contexts_by_role.push_back({.name = of.role, .number = of.contexts});
  const auto add = [&](std::size_t Limits::* limit, std::size_t used) {
    reading.quotas_by_role.push_back(
        {.role = of.role, .limit = std::string(policy::rule_of(limit).name), .used = used});
  };
  add(&Limits::contexts_per_user, of.contexts_of_user);
  add(&Limits::objects_per_user, of.objects_of_user);
  add(&Limits::sessions_per_user, of.sessions_of_user);
  add(&Limits::backlog_kib_per_user, of.backlog_of_user);
}

}  // namespace

exec::Statistics TpmService::statistics() const {
  exec::Statistics both = resource_manager_.statistics();
  both += resource_manager12_.state().statistics;
  return both;
}

metrics::TpmReading TpmService::reading(bool with_users) const {
  metrics::TpmReading reading{.tenant = tenant_,
                              .device = device_reading(pump_.device(), identity_),
                              .lockout = lockout_reading(authorization_guard_),
                              .counters = pump_.counters(),
                              .statistics = statistics(),
                              .refusals = server_.refusals(),
                              .events = audit_log_.counts(),
                              .queued = pump_.queued(),
                              .connections = server_.admission().connections().total(),
                              .contexts = server_.admission().contexts().total(),
                              .contexts_by_role = {},
                              .quotas_by_role = {},
                              .contexts_by_user = {},
                              .limits = server_.limits().entries,
                              .restarts = keeper_ ? keeper_->restarts() : 0};
  reading.statistics -= taken_over_;
  for (const server::Server::RoleUsage& role : server_.usage_by_role()) add_role(reading, role);
  if (with_users) reading.contexts_by_user = users_of(server_.admission().contexts());
  return reading;
}

}  // namespace tbs
