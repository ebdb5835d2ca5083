#include "daemon/rm12/capability.h"

#include <algorithm>

#include "daemon/tpm12/context_blob.h"

namespace tbs::rm12 {
namespace {

namespace prop = tpm12::prop;
using Words = std::vector<std::uint32_t>;

Words handles_of_kind(const State& state, ContextId context, Kind kind) {
  Words words;
  for (const exec::VirtualHandle handle : state.table.handles(context, kind)) {
    words.push_back(number_of(handle));
  }
  return words;
}

Words key_handles(const State& state, ContextId context) {
  Words words = handles_of_kind(state, context, Kind::Key);
  for (const exec::PhysicalHandle shared : state.table.permanent_keys) {
    words.push_back(number_of(as_seen_by_client(shared)));
  }
  return words;
}

// The entries in the TPM's list as the client knows them: from its own blobs.
Words saved_by_client(const State& state, ContextId context) {
  Words counts;
  for (const Resource* const resource : state.table.of(context)) {
    const auto blob = tpm12::parse_context_blob(resource->client_blob);
    if (blob) counts.push_back(blob->count);
  }
  return counts;
}

std::optional<Words> handles_of_type(const State& state, ContextId context, std::uint32_t type) {
  switch (type) {
    case static_cast<std::uint32_t>(Kind::Key):
      return key_handles(state, context);
    case static_cast<std::uint32_t>(Kind::Auth):
    case static_cast<std::uint32_t>(Kind::Transport):
    case static_cast<std::uint32_t>(Kind::Daa):
      return handles_of_kind(state, context, static_cast<Kind>(type));
    case tpm12::kResourceContext:
      return saved_by_client(state, context);
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> number(const State& state, ContextId context, std::uint32_t property) {
  const exec::Limits& limits = state.options.limits;
  const std::size_t keys = state.table.count(context, true);
  const std::size_t sessions = state.table.count(context, false);
  switch (property) {
    case prop::kMaxKeys:
      return limits.objects_per_context;
    case prop::kKeys:
      return limits.objects_per_context - std::min(keys, limits.objects_per_context);
    case prop::kMaxAuthSessions:
    case prop::kMaxTransportSessions:
    case prop::kMaxContexts:
    case prop::kMaxSessions:
      return limits.sessions_per_context;
    case prop::kAuthSessions:
    case prop::kTransportSessions:
    case prop::kContexts:
    case prop::kSessions:
      return limits.sessions_per_context - std::min(sessions, limits.sessions_per_context);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<proto::Buffer> capability_from_memory(const State& state, ContextId context,
                                                    const tpm12::CapabilityQuery& query) {
  if (query.area == tpm12::cap::kKeyHandle) {
    return tpm12::handle_list(key_handles(state, context));
  }
  if (!query.sub) return std::nullopt;
  if (query.area == tpm12::cap::kHandle) {
    const auto handles = handles_of_type(state, context, *query.sub);
    if (handles) return tpm12::handle_list(*handles);
  } else if (query.area == tpm12::cap::kProperty) {
    const auto value = number(state, context, *query.sub);
    if (value) return tpm12::capability_word(static_cast<std::uint32_t>(*value));
  }
  return std::nullopt;
}

}  // namespace tbs::rm12
