#include "daemon/policy/ignored_command.h"

#include "daemon/command/client_response.h"
#include "proto/byte_reader.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"

namespace tbs::policy {
namespace {

// A handle, an empty nonce, attributes and an empty HMAC.
constexpr std::size_t kSmallestSession = 4 + 2 + 1 + 2;
constexpr std::size_t kTypeSize = 2;

// A started TPM looks no further than the tag.
std::optional<std::uint32_t> startup20(const ClientCommand& command, proto::Bytes) {
  const std::uint16_t tag = command.header().tag;
  const bool command_tag = tag == tpm::kTagNoSessions || tag == tpm::kTagSessions;
  return command_tag ? tpm::rc::kInitialize : tpm::rc::kValue;
}

std::optional<std::uint32_t> sessions20(proto::Bytes parameters) {
  proto::ByteReader reader(parameters);
  const std::uint32_t size = reader.be32();
  if (!reader.ok()) return tpm::rc::kInsufficient;
  if (size < kSmallestSession || size > parameters.size() - sizeof size) return tpm::rc::kSize;
  return std::nullopt;
}

std::optional<std::uint32_t> shutdown20(const ClientCommand& command, proto::Bytes parameters) {
  const std::uint16_t tag = command.header().tag;
  if (tag == tpm::kTagSessions) return sessions20(parameters);
  if (tag != tpm::kTagNoSessions) return tpm::rc::kValue;
  proto::ByteReader reader(parameters);
  const std::uint16_t type = reader.be16();
  if (!reader.ok()) return tpm::at_parameter(tpm::rc::kInsufficient, 1);
  if (type != TPM2_SU_CLEAR && type != TPM2_SU_STATE) {
    return tpm::at_parameter(tpm::rc::kValue, 1);
  }
  return parameters.size() == kTypeSize ? tpm::rc::kSuccess : tpm::rc::kSize;
}

std::optional<std::uint32_t> startup12(const ClientCommand& command, proto::Bytes parameters) {
  if (parameters.size() < kTypeSize) return tpm12::rc::kBadParamSize;
  if (command.header().tag != tpm12::kTagCommand) return tpm12::rc::kBadTag;
  return parameters.size() == kTypeSize ? tpm12::rc::kInvalidPostInit : tpm12::rc::kBadParamSize;
}

std::optional<std::uint32_t> save_state12(const ClientCommand& command, proto::Bytes parameters) {
  if (command.header().tag != tpm12::kTagCommand) return tpm12::rc::kBadTag;
  return parameters.empty() ? tpm12::rc::kSuccess : tpm12::rc::kBadParamSize;
}

std::optional<std::uint32_t> code_for(const ClientCommand& command) {
  const proto::Bytes parameters = command.bytes().subspan(proto::kTpmHeaderSize);
  if (command.family() == Family::Tpm12) {
    if (command.code() == tpm12::ord::kStartup) return startup12(command, parameters);
    if (command.code() == tpm12::ord::kSaveState) return save_state12(command, parameters);
    return std::nullopt;
  }
  if (command.code() == tpm::cc::kStartup) return startup20(command, parameters);
  if (command.code() == tpm::cc::kShutdown) return shutdown20(command, parameters);
  return std::nullopt;
}

}  // namespace

std::optional<proto::Buffer> answer_to_ignored(const ClientCommand& command) {
  const auto code = code_for(command);
  if (!code) return std::nullopt;
  return bare_response(command.family(), *code);
}

}  // namespace tbs::policy
