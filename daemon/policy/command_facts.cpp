#include "daemon/policy/command_facts.h"

#include "daemon/tpm/command_view.h"
#include "daemon/tpm12/command_view.h"
#include "daemon/tpm12/response.h"
#include "proto/tpm_header.h"

namespace tbs::policy {
namespace {

void note_handle(std::uint32_t handle, CommandFacts& facts) {
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
void note_selection(proto::ByteReader reader, CommandFacts& facts) {
  const std::uint16_t size = reader.be16();
  for (std::uint32_t i = 0; i < size && reader.ok(); ++i) {
    const std::uint8_t bits = reader.u8();  // 0 past the end
    for (std::uint32_t bit = 0; bit < 8; ++bit) {
      if ((bits >> bit & 1) != 0) facts.pcrs.push_back(i * 8 + bit);
    }
  }
}

}  // namespace

void collect_handles(proto::Bytes command, const tpm::CommandTable& commands, CommandFacts& facts) {
  const auto view = tpm::parse_command(command, commands);
  if (!view) return;
  for (std::uint8_t i = 0; i < view->info->handles; ++i) note_handle(view->handles[i], facts);
  proto::ByteReader parameters(view->parameters);
  if (view->code() == tpm::cc::kEvictControl) {
    note_handle(parameters.be32(), facts);
  } else if (view->code() == tpm::cc::kNvDefineSpace) {
    parameters.skip(parameters.be16());  // the authorization value, encrypted or not
    parameters.skip(2);                  // size of what follows
    const std::uint32_t index = parameters.be32();
    if (parameters.ok()) note_handle(index, facts);
  }
}

void note_handles12(proto::Bytes command, CommandFacts& facts) {
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

std::optional<proto::Bytes> embedded_command(proto::Bytes command) {
  const auto header = proto::read_tpm_header(command);
  if (!header || header->code != tpm12::ord::kExecuteTransport) return std::nullopt;
  const auto outer = tpm12::parse_command(command);
  if (!outer || outer->parameters.size() < tpm12::kWrappedCommandOffset) return std::nullopt;
  return outer->parameters.subspan(tpm12::kWrappedCommandOffset);
}

std::uint32_t effective_code(proto::Bytes command, std::uint32_t tpm_version) {
  const auto embedded =
      tpm_version == 1 ? embedded_command(command) : std::optional<proto::Bytes>();
  const auto header = proto::read_tpm_header(embedded.value_or(command));
  return header ? header->code : 0;
}

std::uint32_t embedded_result(proto::Bytes response) {
  const auto outer = tpm12::parse_response(response);
  if (!outer) return tpm12::rc::kBadParamSize;
  if (!outer->success()) return outer->code;
  const auto wrapped = tpm12::wrapped_response(*outer);
  const auto inner = wrapped ? proto::read_tpm_header(*wrapped) : std::nullopt;
  return inner ? inner->code : tpm12::rc::kBadParamSize;
}

}  // namespace tbs::policy
