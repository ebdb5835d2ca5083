#include "tests/integration/support/pqc_chip.h"

#include <array>
#include <utility>
#include <vector>

#include "proto/tpm/capability.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/odd_chip.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/command_attributes.h"

namespace tbs::test::pqc {
namespace {

using proto::Buffer;
using proto::Bytes;
using tbs::tpm::CommandBuilder;
using Ask = LyingTpm::Ask;

constexpr std::array kCommands = {
    kVerifySequenceComplete | handles(2) | TPMA_CC_FLUSHED,
    kSignSequenceComplete | handles(2) | TPMA_CC_FLUSHED,
    kEncapsulate | handles(1),
    kDecapsulate | handles(1),
    kVerifySequenceStart | handles(1) | TPMA_CC_RHANDLE,
    kSignSequenceStart | handles(1) | TPMA_CC_RHANDLE,
};

Buffer list_commands(const Buffer& command, const Ask& ask) {
  const Buffer response = ask(command);
  if (tpm::code(response) != tpm::kSuccess) return response;
  const auto list = tbs::tpm::parse_words(Bytes(response).subspan(tbs::tpm::kHeaderSize),
                                          tbs::tpm::cap::kCommands);
  if (!list) return response;
  std::vector<std::uint32_t> all = list->items;
  all.insert(all.end(), kCommands.begin(), kCommands.end());
  return commands_response(all);
}

// TPM2B of so many bytes.
void append_sized(Buffer& parameters, std::size_t size) {
  proto::ByteWriter writer(parameters);
  writer.be16(static_cast<std::uint16_t>(size));
  parameters.resize(parameters.size() + size, 0x5A);
}

// A response to a command with so many password authorizations.
Buffer authorized_response(const Buffer& parameters, std::size_t sessions) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(static_cast<std::uint32_t>(parameters.size()));
  writer.bytes(parameters);
  for (std::size_t i = 0; i < sessions; ++i) {
    writer.be16(0);
    writer.u8(1);
    writer.be16(0);
  }
  return proto::tpm_response(tbs::tpm::kTagSessions, tbs::tpm::rc::kSuccess, body);
}

// The TPM's complaint about this key, if it does not have it.
bool has_key(std::uint32_t key, const Ask& ask) {
  return tpm::code(ask(tpm::read_public(key))) == tpm::kSuccess;
}

Buffer unknown_handle(std::uint32_t number) {
  return proto::tpm_error_response(tbs::tpm::kTagNoSessions,
                                   tbs::tpm::at_handle(tbs::tpm::rc::kHandle, number));
}

Buffer complete(std::uint32_t sequence, std::uint32_t key, bool signs, const Ask& ask) {
  if (!has_key(key, ask)) return unknown_handle(2);
  const Buffer ended = ask(tpm::sequence_complete(sequence));
  if (tpm::code(ended) != tpm::kSuccess) return ended;
  Buffer parameters{0, 1};
  append_sized(parameters, signs ? kSignature : 32);
  return authorized_response(parameters, signs ? 2 : 1);
}

Buffer encapsulated(std::uint32_t key, const Ask& ask) {
  if (!has_key(key, ask)) return unknown_handle(1);
  Buffer parameters;
  append_sized(parameters, 32);
  append_sized(parameters, kCiphertext);
  return proto::tpm_response(tbs::tpm::kTagNoSessions, tbs::tpm::rc::kSuccess, parameters);
}

Buffer decapsulated(std::uint32_t key, const Ask& ask) {
  if (!has_key(key, ask)) return unknown_handle(1);
  Buffer parameters;
  append_sized(parameters, 32);
  return authorized_response(parameters, 1);
}

// With an empty password for the first handle, or for both.
CommandBuilder with_password(std::uint32_t code, std::uint32_t first, std::uint32_t second,
                             int authorizations) {
  const Buffer password{0x40, 0, 0, 9, 0, 0, 0, 0, 0};
  CommandBuilder command(code);
  command.handle(first);
  if (second != 0) command.handle(second);
  for (int i = 0; i < authorizations; ++i) command.authorization(password);
  return command;
}

}  // namespace

LyingTpm::Lie chip() {
  return [sizes = odd::with_buffers(kBuffers)](const Buffer& command, const Ask& ask) mutable {
    proto::ByteReader reader(Bytes(command).subspan(tbs::tpm::kHeaderSize));
    const std::uint32_t first = reader.be32();
    const std::uint32_t second = reader.be32();
    switch (proto::read_tpm_header(command)->code) {
      case tbs::tpm::cc::kGetCapability:
        return first == tbs::tpm::cap::kCommands ? list_commands(command, ask)
                                                 : sizes(command, ask);
      case kEncapsulate:
        return encapsulated(first, ask);
      case kDecapsulate:
        return decapsulated(first, ask);
      case kSignSequenceStart:
      case kVerifySequenceStart:
        return has_key(first, ask) ? ask(tpm::hash_sequence_start()) : unknown_handle(1);
      case kSignSequenceComplete:
        return complete(first, second, true, ask);
      case kVerifySequenceComplete:
        return complete(first, second, false, ask);
      default:
        return ask(command);
    }
  };
}

Buffer encapsulate(std::uint32_t key) {
  return CommandBuilder(kEncapsulate).handle(key).finish();
}

Buffer decapsulate(std::uint32_t key, const Buffer& ciphertext) {
  return with_password(kDecapsulate, key, 0, 1).sized(ciphertext).finish();
}

Buffer sequence_start(std::uint32_t code, std::uint32_t key) {
  return CommandBuilder(code).handle(key).u16(0).u16(0).finish();
}

Buffer sign_sequence_complete(std::uint32_t sequence, std::uint32_t key) {
  return with_password(kSignSequenceComplete, sequence, key, 2).sized({}).finish();
}

Buffer verify_sequence_complete(std::uint32_t sequence, std::uint32_t key,
                                const Buffer& signature) {
  return with_password(kVerifySequenceComplete, sequence, key, 1).u16(1).sized(signature).finish();
}

}  // namespace tbs::test::pqc
