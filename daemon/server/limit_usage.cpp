#include "daemon/server/limit_usage.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "daemon/policy/limits.h"

namespace tbs::server {
namespace {

using policy::Limits;
using Value = std::size_t Limits::*;

// The most that anybody has, and who.
struct Peak {
  std::uint64_t used = 0;
  std::uint32_t uid = proto::kNobody;

  void see(std::uint64_t amount, UserId user) {
    if (amount <= used) return;
    used = amount;
    uid = shown_number(user);
  }
};

// One for each limit that somebody can be near to.
class Peaks {
 public:
  Peak& operator[](Value limit) {
    const auto* const rule =
        std::ranges::find(policy::kLimitRules, limit, &policy::LimitRule::value);
    return peaks_.at(static_cast<std::size_t>(rule - policy::kLimitRules.begin()));
  }

 private:
  std::array<Peak, policy::kLimitRules.size()> peaks_;
};

using Totals = std::map<UserId, std::uint64_t>;

Peak peak_of(const Totals& totals) {
  Peak peak;
  for (const auto& [user, amount] : totals) peak.see(amount, user);
  return peak;
}

}  // namespace

proto::LimitList limit_usage(const Clients& clients, CommandSink& sink, const Admission& admission,
                             const policy::Backlog& backlog) {
  Peaks peaks;
  Totals contexts;
  Totals objects;
  Totals sessions;
  Totals waiting;
  for (const auto& [id, client] : clients.all()) {
    const UserId user = client.peer.user;
    waiting[user] = backlog.of(user) / 1024;
    if (!client.is_context()) continue;
    const exec::Holdings held = sink.held_by(client.context());
    ++contexts[user];
    objects[user] += held.objects;
    sessions[user] += held.sessions;
    peaks[&Limits::objects_per_context].see(held.objects, user);
    peaks[&Limits::sessions_per_context].see(held.sessions, user);
  }
  peaks[&Limits::contexts_per_user] = peak_of(contexts);
  peaks[&Limits::objects_per_user] = peak_of(objects);
  peaks[&Limits::sessions_per_user] = peak_of(sessions);
  peaks[&Limits::backlog_kib_per_user] = peak_of(waiting);
  peaks[&Limits::contexts].used = admission.contexts();
  peaks[&Limits::backlog_kib].used = backlog.total() / 1024;
  proto::LimitList list;
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    const Peak peak = peaks[rule.value];
    list.entries.push_back({.scope = static_cast<std::uint32_t>(rule.scope),
                            .uid = peak.uid,
                            .limit = admission.limits().*rule.value,
                            .used = peak.used,
                            .name = std::string(rule.name)});
  }
  return list;
}

}  // namespace tbs::server
