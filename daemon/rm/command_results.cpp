#include "daemon/rm/command_results.h"

#include <algorithm>
#include <array>
#include <vector>

#include "daemon/rm/capability_filter.h"
#include "daemon/tpm/saved_context.h"

namespace tbs::rm {
namespace {

using proto::Bytes;

// Whatever else returns an object (sequences, vendor commands) returns one that may change.
constexpr std::array kMakersOfKeys = {tpm::cc::kCreatePrimary, tpm::cc::kLoad,
                                      tpm::cc::kLoadExternal, tpm::cc::kCreateLoaded};

// What the fixed capabilities may change with.
bool changes_capabilities(std::uint32_t code) {
  return code == tpm::cc::kSetAlgorithmSet || code == tpm::cc::kFieldUpgradeStart ||
         code == tpm::cc::kFieldUpgradeData || (code & tpm::cc::kVendorBit) != 0;
}

// What the TPM's count of failed authorizations and its limit may change with.
bool changes_lockout(std::uint32_t code) {
  return code == tpm::cc::kDictionaryAttackLockReset ||
         code == tpm::cc::kDictionaryAttackParameters || code == tpm::cc::kClear;
}

}  // namespace

std::optional<TpmProbe::Reason> CommandResults::take(
    const tpm::ResponseView& response, const std::optional<tpm::CapabilityQuery>& query,
    bool detached) {
  remember(query);
  end_sessions(response);
  const bool in_doubt = run_.view.info->flushes_handles && !erase_flushed();
  contexts_.finish_flush();
  if (run_.view.code() == tpm::cc::kContextSave) contexts_.finish_save(response, detached);
  if (run_.view.info->returns_handle) {
    if (tpm::is_transient(response.handle)) {
      register_object(exec::PhysicalHandle{response.handle}, detached);
    } else if (tpm::is_session(response.handle)) {
      register_session(exec::PhysicalHandle{response.handle}, detached);
    }
  }
  const auto reason = note_side_effects();
  return in_doubt && !reason ? TpmProbe::Reason::Removal : reason;
}

// The attribute says that the command ends what it names. One that names a key beside its sequence
// (TPM2_SignSequenceComplete) leaves the key. False where only the TPM knows what is left.
bool CommandResults::erase_flushed() {
  const std::vector<Object*> named(run_.plan.objects.all().begin(), run_.plan.objects.all().end());
  const auto sequences = std::ranges::count_if(named, &Object::sequence);
  if (named.size() > 1 && sequences != 1) return false;
  for (Object* const object : named) {
    if (named.size() == 1 || object->sequence) run_.state.objects.erase(*object);
  }
  return true;
}

void CommandResults::end_sessions(const tpm::ResponseView& response) {
  for (std::uint8_t i = 0; i < run_.view.session_count; ++i) {
    Session* const session = run_.plan.authorizations[i];
    if (session == nullptr || response.session_attributes[i] & tpm::kContinueSession) continue;
    std::ranges::replace(run_.plan.authorizations, session, nullptr);
    run_.state.sessions.erase(*session);
  }
}

void CommandResults::register_object(exec::PhysicalHandle physical, bool detached) {
  const bool loaded = run_.view.code() == tpm::cc::kContextLoad;
  const auto blob = tpm::parse_saved_context(loaded ? run_.view.parameters : Bytes{});
  const bool sequence =
      blob ? blob->handle == tpm::kSavedSequence
           : std::ranges::find(kMakersOfKeys, run_.view.code()) == kMakersOfKeys.end();
  Object& object = run_.state.objects.add(run_.context, physical, sequence);
  object.last_used = run_.state.next_use();
  if (blob && !sequence) {
    object.saved.store({blob->bytes.begin(), blob->bytes.end()});
    object.hierarchy = blob->hierarchy;
  }
  tpm::put_be32(run_.reply, tpm::handle_offset(0), number_of(object.virtual_handle));
  if (!detached) return;
  run_.state.objects.erase(object);
  run_.state.stray_objects.push_back(physical);
}

void CommandResults::register_session(exec::PhysicalHandle handle, bool detached) {
  Session& session = run_.state.sessions.add(handle, run_.context, run_.principal());
  session.last_used = run_.state.next_use();
  // One that was loaded is still whose it was.
  if (!detached || run_.view.code() == tpm::cc::kContextLoad) return;
  run_.state.sessions.erase(session);
  run_.state.stray_sessions.push_back(handle);
}

void CommandResults::remember(const std::optional<tpm::CapabilityQuery>& query) {
  if (run_.view.code() == tpm::cc::kGetCapability && query) {
    filter_capability(run_.state, run_.context, *query, run_.reply);
  } else if (run_.view.code() == tpm::cc::kReadPublic && !run_.view.has_sessions()) {
    if (Object* const object = run_.plan.handle_objects[0]) object->public_response = run_.reply;
  }
}

std::optional<TpmProbe::Reason> CommandResults::note_side_effects() {
  const std::uint32_t code = run_.view.code();
  if (changes_capabilities(code)) run_.state.capabilities.clear();
  if (changes_lockout(code)) run_.state.lockout_due = true;
  if (code == tpm::cc::kStartup) return TpmProbe::Reason::Restart;
  if (!run_.view.info->extensive) return std::nullopt;
  drop_cleared_hierarchies();
  return TpmProbe::Reason::Removal;
}

void CommandResults::drop_cleared_hierarchies() {
  switch (run_.view.code()) {
    case tpm::cc::kClear:
      drop_hierarchy(run_.state, tpm::kRhOwner);
      drop_hierarchy(run_.state, tpm::kRhEndorsement);
      break;
    case tpm::cc::kChangeEps:
      drop_hierarchy(run_.state, tpm::kRhEndorsement);
      break;
    case tpm::cc::kChangePps:
      drop_hierarchy(run_.state, tpm::kRhPlatform);
      break;
    case tpm::cc::kHierarchyControl: {
      proto::ByteReader reader(run_.view.parameters);
      const std::uint32_t hierarchy = reader.be32();
      if (reader.u8() == 0) drop_hierarchy(run_.state, hierarchy);
      break;
    }
    default:
      break;
  }
}

}  // namespace tbs::rm
