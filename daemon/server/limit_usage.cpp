#include "daemon/server/limit_usage.h"

#include <string>
#include <utility>

#include "daemon/policy/limits.h"

namespace tbs::server {
namespace {

using policy::Limits;
using Value = std::size_t Limits::*;

class Writer {
 public:
  explicit Writer(const Limits& limits) : limits_(limits) {}

  void add(Value value, const Peak<AccountId>& peak, std::size_t unit = 1) {
    const policy::LimitRule& rule = policy::rule_of(value);
    const std::size_t used = peak.amount / unit;
    const bool named = peak.who && used > 0 && rule.scope != policy::Scope::All;
    list_.entries.push_back({.scope = static_cast<std::uint32_t>(rule.scope),
                             .uid = named ? shown_number(user_of(*peak.who)) : proto::kNobody,
                             .limit = limits_.*value,
                             .used = used,
                             .name = std::string(rule.name)});
  }
  proto::LimitList take() { return std::move(list_); }

 private:
  const Limits& limits_;
  proto::LimitList list_;
};

constexpr std::size_t kKib = 1024;

// What outlives all contexts; a TPM has room for little of it.
void add_lasting(Writer& writer, const policy::Ownership& ownership) {
  Peak<AccountId> bytes;
  Peak<AccountId> indices;
  Peak<AccountId> persistent;
  for (const auto& [account, usage] : ownership.usage()) {
    bytes.see(usage.nv_bytes, account);
    indices.see(usage.nv_indices, account);
    persistent.see(usage.persistent_objects, account);
  }
  writer.add(&Limits::nv_bytes_per_user, bytes);
  writer.add(&Limits::nv_indices_per_user, indices);
  writer.add(&Limits::persistent_per_user, persistent);
}

}  // namespace

proto::LimitList limit_usage(const CommandSink& sink, const Admission& admission,
                             const policy::Backlog& backlog, const policy::Ownership& ownership) {
  const exec::Usage usage = sink.usage();
  Writer writer(admission.limits());
  writer.add(&Limits::contexts, {.amount = admission.contexts().total(), .who = {}});
  writer.add(&Limits::contexts_per_user, admission.contexts().peak());
  writer.add(&Limits::objects_per_context, usage.objects_of_context);
  writer.add(&Limits::objects_per_user, usage.objects_of_account);
  writer.add(&Limits::sessions_per_context, usage.sessions_of_context);
  writer.add(&Limits::sessions_per_user, usage.sessions_of_account);
  writer.add(&Limits::orphans_per_user, usage.orphans_of_account);
  writer.add(&Limits::orphan_seconds, {});
  add_lasting(writer, ownership);
  writer.add(&Limits::backlog_kib_per_user, backlog.peak(), kKib);
  writer.add(&Limits::backlog_kib, {.amount = backlog.total(), .who = {}}, kKib);
  return writer.take();
}

}  // namespace tbs::server
