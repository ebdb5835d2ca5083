#include "tests/integration/support/tpm_commands.h"

#include <random>

#include "proto/limits.h"
#include "proto/tpm_header.h"
#include "tests/integration/support/command_writer.h"

namespace tbs::test::tpm {
namespace {

using proto::ByteReader;
using proto::ByteWriter;

// TPM 2.0 Library Part 2: "TPM_CC", "TPM_ALG_ID", "TPM_RH", "TPM_CAP".
constexpr std::uint32_t kCcClear = 0x126;
constexpr std::uint32_t kCcDictionaryAttackParameters = 0x13A;
constexpr std::uint32_t kCcNvDefineSpace = 0x12A;
constexpr std::uint32_t kCcCreatePrimary = 0x131;
constexpr std::uint32_t kCcNvWrite = 0x137;
constexpr std::uint32_t kCcSequenceComplete = 0x13E;
constexpr std::uint32_t kCcSelfTest = 0x143;
constexpr std::uint32_t kCcNvRead = 0x14E;
constexpr std::uint32_t kCcSequenceUpdate = 0x15C;
constexpr std::uint32_t kCcFlushContext = 0x165;
constexpr std::uint32_t kCcReadPublic = 0x173;
constexpr std::uint32_t kCcGetCapability = 0x17A;
constexpr std::uint32_t kCcGetRandom = 0x17B;
constexpr std::uint32_t kCcHash = 0x17D;
constexpr std::uint32_t kCcPcrRead = 0x17E;
constexpr std::uint32_t kCcPcrExtend = 0x182;
constexpr std::uint32_t kCcHashSequenceStart = 0x186;
constexpr std::uint16_t kAlgRsa = 0x0001;
constexpr std::uint16_t kAlgAes = 0x0006;
constexpr std::uint16_t kAlgSha256 = 0x000B;
constexpr std::uint16_t kAlgNull = 0x0010;
constexpr std::uint16_t kAlgEcc = 0x0023;
constexpr std::uint16_t kAlgCfb = 0x0043;
constexpr std::uint16_t kEccNistP256 = 0x0003;
constexpr std::uint32_t kRhOwner = 0x40000001;
constexpr std::uint32_t kRhLockout = 0x4000000A;
constexpr std::uint32_t kRhNull = 0x40000007;
constexpr std::uint32_t kCapHandles = 1;
constexpr std::uint32_t kCapProperties = 6;
// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, decrypt.
constexpr std::uint32_t kStorageKey = 0x00030072;
// OWNERWRITE, AUTHWRITE, OWNERREAD, AUTHREAD, NO_DA.
constexpr std::uint32_t kOrdinaryIndex = 0x02060006;
// AUTHWRITE, AUTHREAD.
constexpr std::uint32_t kPasswordIndex = 0x00040004;

Buffer random_bytes(std::size_t count) {
  std::random_device source;
  Buffer bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(source());
  return bytes;
}

void sha256_pcr_selection(ByteWriter& out, std::uint32_t pcr) {
  out.be32(1);
  out.be16(kAlgSha256);
  out.u8(3);
  for (unsigned byte = 0; byte < 3; ++byte) {
    out.u8(static_cast<std::uint8_t>(pcr / 8 == byte ? 1U << (pcr % 8) : 0U));
  }
}

Buffer create_primary(const Buffer& public_area) {
  CommandWriter command(kCcCreatePrimary, true);
  command.out.be32(kRhOwner);
  command.password();
  command.sized(Buffer(4));  // sensitive: no password, no data
  command.sized(public_area);
  command.out.be16(0);  // outsideInfo
  command.out.be32(0);  // creationPCR
  return command.finish();
}

// The common start of a storage key's template.
void storage_template(ByteWriter& out, std::uint16_t type) {
  out.be16(type);
  out.be16(kAlgSha256);
  out.be32(kStorageKey);
  out.be16(0);  // authPolicy
  out.be16(kAlgAes);
  out.be16(128);
  out.be16(kAlgCfb);
  out.be16(kAlgNull);  // scheme
}

Buffer get_capability(std::uint32_t capability, std::uint32_t property, std::uint32_t count) {
  CommandWriter command(kCcGetCapability);
  command.out.be32(capability);
  command.out.be32(property);
  command.out.be32(count);
  return command.finish();
}

Buffer handle_only(std::uint32_t command_code, std::uint32_t handle) {
  CommandWriter command(command_code);
  command.out.be32(handle);
  return command.finish();
}

Buffer take_sized(ByteReader& reader) {
  const Bytes bytes = reader.take(reader.be16());
  return {bytes.begin(), bytes.end()};
}

// The TPM2B behind the parameter size that a response with sessions has.
Buffer first_parameter_with_session(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize + 4);
  return take_sized(reader);
}

}  // namespace

Buffer get_random(std::uint16_t count) {
  CommandWriter command(kCcGetRandom);
  command.out.be16(count);
  return command.finish();
}

Buffer self_test() {
  CommandWriter command(kCcSelfTest);
  command.out.u8(1);
  return command.finish();
}

Buffer get_handles(std::uint32_t first) {
  return get_capability(kCapHandles, first, 64);
}

Buffer get_property(std::uint32_t property) {
  return get_capability(kCapProperties, property, 1);
}

Buffer flush_context(std::uint32_t handle) {
  return handle_only(kCcFlushContext, handle);
}

Buffer read_public(std::uint32_t handle) {
  return handle_only(kCcReadPublic, handle);
}

Buffer create_primary_ecc() {
  Buffer area;
  ByteWriter out(area);
  storage_template(out, kAlgEcc);
  out.be16(kEccNistP256);
  out.be16(kAlgNull);  // kdf
  out.be16(32);
  out.bytes(random_bytes(32));
  out.be16(0);
  return create_primary(area);
}

Buffer create_primary_rsa(std::uint16_t bits) {
  Buffer area;
  ByteWriter out(area);
  storage_template(out, kAlgRsa);
  out.be16(bits);
  out.be32(0);  // exponent
  out.be16(32);
  out.bytes(random_bytes(32));
  return create_primary(area);
}

Buffer pcr_extend(std::uint32_t pcr, const Buffer& sha256) {
  CommandWriter command(kCcPcrExtend, true);
  command.out.be32(pcr);
  command.password();
  command.out.be32(1);
  command.out.be16(kAlgSha256);
  command.out.bytes(sha256);
  return command.finish();
}

Buffer pcr_read(std::uint32_t pcr) {
  CommandWriter command(kCcPcrRead);
  sha256_pcr_selection(command.out, pcr);
  return command.finish();
}

Buffer hash(const Buffer& data) {
  CommandWriter command(kCcHash);
  command.sized(data);
  command.out.be16(kAlgSha256);
  command.out.be32(kRhNull);
  return command.finish();
}

Buffer nv_define(std::uint32_t index, std::uint16_t size) {
  CommandWriter command(kCcNvDefineSpace, true);
  command.out.be32(kRhOwner);
  command.password();
  command.out.be16(0);   // the index's own password
  command.out.be16(14);  // TPMS_NV_PUBLIC
  command.out.be32(index);
  command.out.be16(kAlgSha256);
  command.out.be32(kOrdinaryIndex);
  command.out.be16(0);
  command.out.be16(size);
  return command.finish();
}

Buffer clear() {
  CommandWriter command(kCcClear, true);
  command.out.be32(kRhLockout);
  command.password();
  return command.finish();
}

Buffer dictionary_attack_parameters(std::uint32_t failures, std::uint32_t recovery,
                                    std::uint32_t lockout_recovery) {
  CommandWriter command(kCcDictionaryAttackParameters, true);
  command.out.be32(kRhLockout);
  command.password();
  command.out.be32(failures);
  command.out.be32(recovery);
  command.out.be32(lockout_recovery);
  return command.finish();
}

Buffer nv_define_with_password(std::uint32_t index, std::uint16_t size,
                               const std::string& password) {
  CommandWriter command(kCcNvDefineSpace, true);
  command.out.be32(kRhOwner);
  command.password();
  command.sized(Buffer(password.begin(), password.end()));
  command.out.be16(14);  // TPMS_NV_PUBLIC
  command.out.be32(index);
  command.out.be16(kAlgSha256);
  command.out.be32(kPasswordIndex);
  command.out.be16(0);
  command.out.be16(size);
  return command.finish();
}

Buffer nv_read_as_index(std::uint32_t index, std::uint16_t size, const std::string& password) {
  CommandWriter command(kCcNvRead, true);
  command.out.be32(index);
  command.out.be32(index);
  command.password(password);
  command.out.be16(size);
  command.out.be16(0);
  return command.finish();
}

Buffer nv_write(std::uint32_t index, const Buffer& data) {
  CommandWriter command(kCcNvWrite, true);
  command.out.be32(kRhOwner);
  command.out.be32(index);
  command.password();
  command.sized(data);
  command.out.be16(0);
  return command.finish();
}

Buffer nv_read(std::uint32_t index, std::uint16_t size) {
  CommandWriter command(kCcNvRead, true);
  command.out.be32(kRhOwner);
  command.out.be32(index);
  command.password();
  command.out.be16(size);
  command.out.be16(0);
  return command.finish();
}

Buffer hash_sequence_start() {
  CommandWriter command(kCcHashSequenceStart);
  command.out.be16(0);
  command.out.be16(kAlgSha256);
  return command.finish();
}

Buffer sequence_update(std::uint32_t sequence, const Buffer& data) {
  CommandWriter command(kCcSequenceUpdate, true);
  command.out.be32(sequence);
  command.password();
  command.sized(data);
  return command.finish();
}

Buffer sequence_complete(std::uint32_t sequence) {
  CommandWriter command(kCcSequenceComplete, true);
  command.out.be32(sequence);
  command.password();
  command.sized({});
  command.out.be32(kRhNull);
  return command.finish();
}

std::optional<std::uint32_t> code(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return std::nullopt;
  return header->code;
}

std::uint32_t handle(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize);
  return reader.be32();
}

std::vector<std::uint32_t> handles(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize + 1 + 4);
  const std::uint32_t count = reader.be32();
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) found.push_back(reader.be32());
  return found;
}

std::uint32_t property(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize + 1 + 4 + 4 + 4);
  return reader.be32();
}

Buffer sized_bytes(Bytes response) {
  ByteReader reader(response);
  reader.skip(proto::kTpmHeaderSize);
  return take_sized(reader);
}

Buffer nv_data(Bytes response) {
  return first_parameter_with_session(response);
}

Buffer sequence_result(Bytes response) {
  return first_parameter_with_session(response);
}

Buffer pcr_value(Bytes response) {
  ByteReader reader(response);
  // Update counter, one selection, one digest.
  reader.skip(proto::kTpmHeaderSize + 4 + 4 + 2 + 1 + 3 + 4);
  return take_sized(reader);
}

}  // namespace tbs::test::tpm
