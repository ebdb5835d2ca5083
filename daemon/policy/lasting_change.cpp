#include "daemon/policy/lasting_change.h"

#include <algorithm>
#include <array>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm12/command_view.h"

namespace tbs::policy {
namespace {

using Kind = LastingChange::Kind;
namespace cc = tpm::cc;
namespace ord = tpm12::ord;

// Each has two handles: by whose authorization, and the index.
bool changes_index(std::uint32_t code) {
  switch (code) {
    case cc::kNvWrite:
    case cc::kNvIncrement:
    case cc::kNvSetBits:
    case cc::kNvExtend:
    case cc::kNvWriteLock:
    case cc::kNvReadLock:
      return true;
    default:
      return false;
  }
}

bool makes_or_removes(std::uint32_t code) {
  switch (code) {
    case cc::kNvDefineSpace:
    case cc::kNvDefineSpace2:
    case cc::kUndefineSpace:
    case cc::kUndefineSpaceSpecial:
    case cc::kEvictControl:
      return true;
    default:
      return false;
  }
}

constexpr std::array kCommands12 = {ord::kNvDefineSpace, ord::kNvWriteValue};

bool contains(const auto& list, std::uint32_t code) {
  return std::ranges::find(list, code) != list.end();
}

// TPM2B_AUTH and TPM2B_NV_PUBLIC, or the TPM2B_NV_PUBLIC_2 of newer revisions. Sizes are in the
// clear even where a session encrypts the authorization value.
std::optional<LastingChange> definition(const tpm::CommandView& view) {
  proto::ByteReader reader(view.parameters);
  const std::uint16_t auth_size = reader.be16();
  reader.skip(auth_size);
  reader.skip(2);
  bool wide_attributes = false;
  if (view.code() == cc::kNvDefineSpace2) {
    wide_attributes = reader.u8() != static_cast<std::uint8_t>(tpm::HandleType::NvIndex);
  }
  LastingChange change{.kind = Kind::Makes, .handle = reader.be32(), .open = auth_size == 0};
  reader.skip(2);  // nameAlg
  reader.skip(wide_attributes ? 8 : 4);
  reader.skip(reader.be16());  // authPolicy
  change.bytes = reader.be16();
  if (!reader.ok()) return std::nullopt;
  return change;
}

// A persistent object is evicted; any other becomes persistent under the handle that is named.
std::optional<LastingChange> eviction(const tpm::CommandView& view) {
  const std::uint32_t object = view.handles[1];
  if (tpm::handle_type(object) == tpm::HandleType::Persistent) {
    return LastingChange{.kind = Kind::Removes, .handle = object, .persistent = true};
  }
  proto::ByteReader reader(view.parameters);
  const std::uint32_t handle = reader.be32();
  if (!reader.ok()) return std::nullopt;
  return LastingChange{.kind = Kind::Makes, .handle = handle, .persistent = true};
}

std::optional<LastingChange> change_of_index(const tpm::CommandView& view) {
  const bool own = view.handles[0] == view.handles[1];
  const bool by_policy = view.has_sessions() && tpm::handle_type(view.sessions[0].handle) ==
                                                    tpm::HandleType::PolicySession;
  if (own && by_policy) return std::nullopt;
  return LastingChange{.kind = Kind::Changes, .handle = view.handles[1], .by_own_value = own};
}

std::optional<LastingChange> change20(const ClientCommand& command,
                                      const tpm::CommandTable& commands) {
  const bool changing = changes_index(command.code());
  if (!changing && !makes_or_removes(command.code())) return std::nullopt;
  const auto view = tpm::parse_command(command.bytes(), commands);
  if (!view) return std::nullopt;
  if (changing) return change_of_index(*view);
  switch (command.code()) {
    case cc::kEvictControl:
      return eviction(*view);
    case cc::kUndefineSpace:
      return LastingChange{.kind = Kind::Removes, .handle = view->handles[1]};
    case cc::kUndefineSpaceSpecial:
      return LastingChange{.kind = Kind::Removes, .handle = view->handles[0]};
    default:
      return definition(*view);
  }
}

// TPM_PCR_INFO_SHORT: selection, locality, digest.
void skip_pcr_info(proto::ByteReader& reader) {
  reader.skip(reader.be16());
  reader.skip(1 + tpm12::kDigestSize);
}

// TPM_NV_DATA_PUBLIC. A size of nothing undefines.
std::optional<LastingChange> definition12(proto::Bytes parameters) {
  proto::ByteReader reader(parameters);
  reader.skip(2);  // tag
  LastingChange change{.kind = Kind::Makes, .handle = reader.be32(), .replaces = true};
  skip_pcr_info(reader);
  skip_pcr_info(reader);
  reader.skip(2 + 4);  // TPM_NV_ATTRIBUTES
  reader.skip(3);      // what is locked
  change.bytes = reader.be32();
  if (!reader.ok()) return std::nullopt;
  if (change.bytes == 0) change.kind = Kind::Removes;
  return change;
}

std::optional<LastingChange> change12(proto::Bytes command) {
  const auto view = tpm12::parse_command(command);
  if (!view) return std::nullopt;
  if (view->ordinal == ord::kNvDefineSpace) return definition12(view->parameters);
  proto::ByteReader reader(view->parameters);
  const std::uint32_t index = reader.be32();
  if (!reader.ok()) return std::nullopt;
  return LastingChange{.kind = Kind::Changes, .handle = index};
}

}  // namespace

std::optional<LastingChange> lasting_change_of(const ClientCommand& command,
                                               const tpm::CommandTable& commands) {
  if (command.family() == Family::Tpm20) return change20(command, commands);
  if (!contains(kCommands12, command.effective_code())) return std::nullopt;
  const auto embedded = command.embedded();
  auto change = change12(embedded ? *embedded : command.bytes());
  // What cannot be read is a change all the same.
  if (embedded) {
    if (!change) change = LastingChange{.kind = Kind::Changes};
    change->hidden = true;
  }
  return change;
}

}  // namespace tbs::policy
