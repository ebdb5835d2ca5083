#pragma once

// What stands in each TPM 2.0 command and in its response, by the names and types of the
// specification: for who takes them apart. Source: TPM 2.0 Library, Part 3, the tables "Command"
// and "Response" of each command.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tbs::tpm {

// The types that parameters have (Part 2). proto/dissect knows what is in them.
enum class ParameterType : std::uint8_t {
  None,  // past the last parameter
  // Numbers.
  YesNo,
  U16,
  U32,
  U64,
  I32,
  StartupType,
  SessionType,
  Algorithm,
  Curve,
  Comparison,
  ClockAdjust,
  CommandCode,
  ResponseCode,
  Capability,
  Locality,
  Handle,
  // Bytes behind their size.
  Auth,
  Data,
  Digest,
  EccParameter,
  EncryptedSecret,
  Event,
  IdObject,
  Iv,
  MaxBuffer,
  MaxNvBuffer,
  Name,
  Nonce,
  NvPublic2,
  Operand,
  Private,
  PublicKeyRsa,
  SensitiveData,
  SetCapabilityData,
  Timeout,
  // Structures behind their size.
  Attest,
  CreationData,
  EccPoint,
  NvPublic,
  Public,
  Sensitive,
  SensitiveCreate,
  Template,
  // Lists.
  AcCapabilities,
  Algorithms,
  CommandCodes,
  Digests,
  DigestValues,
  PcrSelections,
  // Structures.
  AcOutput,
  AuthTicket,
  CapabilityData,
  Context,
  CreationTicket,
  CurveDetail,
  Hash,
  HashcheckTicket,
  KdfScheme,
  PublicParms,
  RsaScheme,
  Signature,
  SignatureScheme,
  Symmetric,
  SymmetricObject,
  TimeInfo,
  VerifiedTicket,
};

inline constexpr bool kSecret = true;

struct ParameterSchema {
  std::string_view name;
  ParameterType type = ParameterType::None;
  // What a log must not hold: plain data, random numbers, keys. Types that always are (TPM2B_AUTH)
  // do not say it again.
  bool secret = false;
};

struct CommandSchema {
  static constexpr std::size_t kMaxParameters = 6;
  static constexpr std::size_t kMaxNamedHandles = 3;

  std::uint32_t code = 0;
  // With '@' in front where the handle needs an authorization, as Part 3 writes it.
  std::string_view handles[kMaxNamedHandles] = {};
  ParameterSchema parameters[kMaxParameters] = {};
  // Empty when the response has none.
  std::string_view response_handle;
  ParameterSchema response[kMaxParameters] = {};

  [[nodiscard]] std::size_t handle_count() const;
};

// Null for a code that is none of the specification's.
const CommandSchema* find_command_schema(std::uint32_t code);

// The tables, each ascending by code.
std::span<const CommandSchema> management_command_schemas();
std::span<const CommandSchema> object_command_schemas();
std::span<const CommandSchema> policy_command_schemas();

}  // namespace tbs::tpm
