#include "daemon/policy/command_facts.h"

#include <algorithm>
#include <array>

#include "daemon/tpm/command_view.h"
#include "daemon/tpm12/command_view.h"

namespace tbs::policy {
namespace {

void note_handle(std::uint32_t handle, rules::CommandFacts& facts) {
  facts.handles.push_back(handle);
  switch (tpm::handle_type(handle)) {
    case tpm::HandleType::Pcr:
      facts.pcrs.push_back(handle);
      break;
    case tpm::HandleType::NvIndex:
      facts.nv_indices.push_back(handle);
      break;
    case tpm::HandleType::Persistent:
      facts.persistent_handles.push_back(handle);
      break;
    default:
      break;
  }
}

void note_number(proto::ByteReader reader, std::vector<std::uint32_t>& list) {
  const std::uint32_t number = reader.be32();
  if (reader.ok()) list.push_back(number);
}

// TPM_PCR_SELECTION: a size, and that many bytes of bits.
void note_selection(proto::ByteReader reader, rules::CommandFacts& facts) {
  const std::uint16_t size = reader.be16();
  for (std::uint32_t i = 0; i < size && reader.ok(); ++i) {
    const std::uint8_t bits = reader.u8();  // 0 past the end
    for (std::uint32_t bit = 0; bit < 8; ++bit) {
      if ((bits >> bit & 1) != 0) facts.pcrs.push_back(i * 8 + bit);
    }
  }
}

// Parameters that are handles: what NV_DefineSpace and EvictControl give out, and the hierarchy
// that proves where data came from, which comes last.
void note_parameters(const tpm::CommandView& view, rules::CommandFacts& facts) {
  proto::ByteReader reader(view.parameters);
  switch (view.code()) {
    case tpm::cc::kEvictControl:
      break;
    case tpm::cc::kNvDefineSpace:
    case tpm::cc::kNvDefineSpace2:
      reader.skip(reader.be16());  // the authorization value, encrypted or not
      reader.skip(2);              // size of what follows
      if (view.code() == tpm::cc::kNvDefineSpace2) reader.skip(1);  // TPM_HT
      break;
    case tpm::cc::kHash:
    case tpm::cc::kSequenceComplete:
    case tpm::cc::kLoadExternal:
      reader.skip(reader.remaining() - std::min<std::size_t>(reader.remaining(), 4));
      break;
    default:
      return;
  }
  const std::uint32_t handle = reader.be32();
  if (reader.ok()) note_handle(handle, facts);
}

void note_names(proto::Bytes command, const tpm::CommandTable& commands,
                rules::CommandFacts& facts) {
  const auto view = tpm::parse_command(command, commands);
  if (!view) return;
  for (std::uint8_t i = 0; i < view->info->handles; ++i) note_handle(view->handles[i], facts);
  for (std::uint8_t i = 0; i < view->session_count; ++i) {
    note_handle(view->sessions[i].handle, facts);
  }
  note_parameters(*view, facts);
}

void note_names12(proto::Bytes command, rules::CommandFacts& facts) {
  const auto view = tpm12::parse_command(command);
  if (!view) return;
  proto::ByteReader parameters(view->parameters);
  switch (view->ordinal) {
    case tpm12::ord::kExtend:
    case tpm12::ord::kPcrRead:
    case tpm12::ord::kSha1CompleteExtend:
      note_number(parameters, facts.pcrs);
      break;
    case tpm12::ord::kPcrReset:
      note_selection(parameters, facts);
      break;
    case tpm12::ord::kNvDefineSpace:
      parameters.skip(2);  // the tag of TPM_NV_DATA_PUBLIC
      [[fallthrough]];
    case tpm12::ord::kNvWriteValue:
    case tpm12::ord::kNvWriteValueAuth:
    case tpm12::ord::kNvReadValue:
    case tpm12::ord::kNvReadValueAuth:
      note_number(parameters, facts.nv_indices);
      break;
    default:
      break;
  }
}

// Whether note_names12() looks at its parameters.
bool names_something12(std::uint32_t ordinal) {
  namespace ord = tpm12::ord;
  static constexpr std::array kOrdinals = {
      ord::kExtend,           ord::kPcrRead,       ord::kSha1CompleteExtend,
      ord::kPcrReset,         ord::kNvDefineSpace, ord::kNvWriteValue,
      ord::kNvWriteValueAuth, ord::kNvReadValue,   ord::kNvReadValueAuth};
  return std::ranges::find(kOrdinals, ordinal) != kOrdinals.end();
}

rules::CommandFacts bare_facts(const ClientCommand& command, std::uint32_t code) {
  return {.roles = command.requester().roles,
          .command = code,
          .priority = command.priority(),
          .locality = command.locality()};
}

}  // namespace

rules::CommandFacts facts_of(const ClientCommand& command, const tpm::CommandTable& commands,
                             Names names) {
  rules::CommandFacts facts = bare_facts(command, command.code());
  if (names == Names::Omitted) return facts;
  if (command.family() == Family::Tpm12) {
    note_names12(command.bytes(), facts);
  } else {
    note_names(command.bytes(), commands, facts);
  }
  return facts;
}

std::optional<rules::CommandFacts> embedded_facts_of(const ClientCommand& command, Names names) {
  const auto embedded = command.embedded();
  if (!embedded) return std::nullopt;
  rules::CommandFacts facts = bare_facts(command, command.effective_code());
  if (names == Names::Omitted) return facts;
  note_names12(*embedded, facts);
  facts.hidden = names_something12(facts.command);
  return facts;
}

}  // namespace tbs::policy
