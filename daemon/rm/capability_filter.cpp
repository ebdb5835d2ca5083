#include "daemon/rm/capability_filter.h"

#include <algorithm>
#include <limits>

#include "daemon/tpm/response_code.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

using tpm::CapabilityQuery;

std::size_t remaining(std::size_t limit, std::size_t used) {
  return limit > used ? limit - used : 0;
}

struct SessionCounts {
  std::size_t loaded = 0;
  std::size_t active = 0;
};

bool listed_as_loaded(const Session& session, ContextId context) {
  return session.owner == context && !session.saved_by_client();
}

// Orphans are listed to their user: any of the user's contexts may load them.
bool listed_as_saved(const Session& session, ContextId context, const Principal& principal) {
  if (!session.saved_by_client()) return false;
  return session.orphan() ? session.principal == principal : session.owner == context;
}

std::vector<std::uint32_t> session_handles(State& state, ContextId context,
                                           const CapabilityQuery& query) {
  const bool loaded = tpm::handle_type(query.property) == tpm::HandleType::HmacSession;
  const Principal& principal = state.contexts.at(context);
  std::vector<std::uint32_t> handles;
  for (const Session& session : state.sessions.each()) {
    if (tpm::handle_index(number_of(session.handle)) < tpm::handle_index(query.property)) continue;
    if (loaded && listed_as_loaded(session, context)) {
      handles.push_back(number_of(session.handle));
    } else if (!loaded && listed_as_saved(session, context, principal)) {
      // The TPM does not know the type of a saved session and lists all of them this way.
      handles.push_back(tpm::kLoadedSessionFirst | tpm::handle_index(number_of(session.handle)));
    }
  }
  return handles;
}

std::optional<proto::Buffer> own_handles(State& state, ContextId context,
                                         const CapabilityQuery& query) {
  std::vector<std::uint32_t> handles;
  if (tpm::is_transient(query.property)) {
    const auto owned = state.objects.handles_from(context, exec::VirtualHandle{query.property});
    for (const exec::VirtualHandle handle : owned) handles.push_back(number_of(handle));
  } else if (tpm::is_session(query.property)) {
    handles = session_handles(state, context, query);
  } else {
    return std::nullopt;
  }
  const std::size_t shown =
      std::min({handles.size(), std::size_t{query.count}, tpm::kMaxListedHandles});
  const bool more = shown < handles.size();
  handles.resize(shown);
  return tpm::handles_response(handles, more);
}

SessionCounts count_sessions(State& state, ContextId context) {
  SessionCounts counts;
  for (const Session& session : state.sessions.each()) {
    if (session.owner != context) continue;
    ++counts.active;
    if (!session.saved_by_client()) ++counts.loaded;
  }
  return counts;
}

// How many sessions the context can still have.
std::size_t sessions_available(State& state, ContextId context) {
  const AccountId account = state.contexts.at(context).account;
  const exec::Limits& limits = state.options.limits_of(account);
  return std::min({remaining(limits.sessions_per_context, state.sessions.count(context)),
                   remaining(limits.sessions_per_user, state.sessions.count(account)),
                   remaining(state.facts.active_sessions, state.sessions.total())});
}

// What a property reads for a context; empty when it reads what the TPM says.
std::optional<std::size_t> own_property(State& state, ContextId context, std::uint32_t name) {
  const exec::Limits& limits = state.options.limits_of(state.contexts.at(context).account);
  switch (name) {
    // Saved sessions are refreshed behind the client's back, so for clients there is no gap.
    case tpm::pt::kContextGapMax:
      return std::numeric_limits<std::uint32_t>::max();
    case tpm::pt::kActiveSessionsMax:
      return std::min(limits.sessions_per_context, state.facts.active_sessions);
    case tpm::pt::kHrLoaded:
      return count_sessions(state, context).loaded;
    case tpm::pt::kHrActive:
      return count_sessions(state, context).active;
    case tpm::pt::kHrLoadedAvail:
    case tpm::pt::kHrActiveAvail:
      return sessions_available(state, context);
    case tpm::pt::kHrTransientAvail:
      return std::min(remaining(limits.objects_per_context, state.objects.count(context)),
                      remaining(limits.objects_per_user,
                                state.objects.count(state.contexts.at(context).account)));
    default:
      return std::nullopt;
  }
}

bool all_fixed(const std::vector<tpm::Property>& properties) {
  return std::ranges::all_of(
      properties, [](const tpm::Property& property) { return property.name < tpm::pt::kVariable; });
}

}  // namespace

std::optional<proto::Buffer> capability_from_memory(State& state, ContextId context,
                                                    const CapabilityQuery& query) {
  if (query.capability == tpm::cap::kHandles) return own_handles(state, context, query);
  const proto::Buffer* const known = state.capabilities.find(query);
  if (known == nullptr) return std::nullopt;
  return *known;
}

void filter_capability(State& state, ContextId context, const CapabilityQuery& query,
                       proto::Buffer& response) {
  bool fixed = CapabilityCache::cacheable(query);
  if (query.capability == tpm::cap::kProperties) {
    auto list = tpm::parse_properties(proto::Bytes(response).subspan(tpm::kHeaderSize));
    // What cannot be read cannot be filtered.
    if (!list) {
      response = tpm::refusal(tpm::rc::kFailure);
      return;
    }
    for (tpm::Property& property : list->items) {
      const auto value = own_property(state, context, property.name);
      if (value) property.value = static_cast<std::uint32_t>(*value);
    }
    response = tpm::properties_response(*list);
    fixed = fixed && all_fixed(list->items);
  }
  if (fixed) state.capabilities.put(query, response);
}

}  // namespace tbs::rm
