#include "tests/integration/support/tpm_commands.h"

#include <algorithm>
#include <initializer_list>
#include <random>

#include "proto/limits.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"

namespace tbs::test::tpm {
namespace {

namespace lib = ::tbs::tpm;
using lib::CommandBuilder;
using lib::marshal;
using proto::ByteReader;

constexpr TPMA_OBJECT kStorageKey = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                                    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
constexpr TPMA_NV kOrdinaryIndex =
    TPMA_NV_OWNERWRITE | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;
constexpr TPMA_NV kPasswordIndex = TPMA_NV_AUTHWRITE | TPMA_NV_AUTHREAD;

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Buffer random_bytes(std::size_t count) {
  std::random_device source;
  Buffer bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(source());
  return bytes;
}

TPML_PCR_SELECTION sha256_pcr(std::uint32_t pcr) {
  TPML_PCR_SELECTION list{.count = 1, .pcrSelections = {}};
  list.pcrSelections[0] = {.hash = TPM2_ALG_SHA256, .sizeofSelect = 3, .pcrSelect = {}};
  list.pcrSelections[0].pcrSelect[pcr / 8] = static_cast<std::uint8_t>(1U << (pcr % 8));
  return list;
}

// The common start of a storage key's template.
TPMT_PUBLIC storage_template(TPMI_ALG_PUBLIC type) {
  TPMT_PUBLIC key{};
  key.type = type;
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = kStorageKey;
  // Where both kinds have it.
  TPMT_SYM_DEF_OBJECT& symmetric = type == TPM2_ALG_ECC ? key.parameters.eccDetail.symmetric
                                                        : key.parameters.rsaDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return key;
}

// With an empty authorization.
CommandBuilder authorized(std::uint32_t code, std::initializer_list<std::uint32_t> handles,
                          const std::string& password = {}) {
  CommandBuilder command(code);
  for (const std::uint32_t handle : handles) command.handle(handle);
  command.authorization(lib::password_authorization(bytes_of(password)));
  return command;
}

Buffer define(std::uint32_t index, TPMA_NV attributes, std::uint16_t size,
              const std::string& password) {
  const TPM2B_NV_PUBLIC area{.size = 0,
                             .nvPublic = {.nvIndex = index,
                                          .nameAlg = TPM2_ALG_SHA256,
                                          .attributes = attributes,
                                          .authPolicy = {},
                                          .dataSize = size}};
  return authorized(TPM2_CC_NV_DefineSpace, {TPM2_RH_OWNER})
      .sized(bytes_of(password))
      .bytes(marshal(area))
      .finish();
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

Bytes behind_header(Bytes response) {
  return response.subspan(std::min(response.size(), proto::kTpmHeaderSize));
}

}  // namespace

Buffer get_random(std::uint16_t count) {
  return lib::build::get_random(count);
}

Buffer self_test() {
  return lib::build::self_test();
}

Buffer get_handles(std::uint32_t first) {
  return lib::build::get_capability(TPM2_CAP_HANDLES, first, 64);
}

Buffer get_property(std::uint32_t property) {
  return lib::build::get_capability(TPM2_CAP_TPM_PROPERTIES, property, 1);
}

Buffer flush_context(std::uint32_t handle) {
  return lib::build::flush_context(handle);
}

Buffer read_public(std::uint32_t handle) {
  return lib::build::read_public(handle);
}

Buffer create_primary_ecc() {
  TPMT_PUBLIC key = storage_template(TPM2_ALG_ECC);
  key.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
  key.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  key.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  key.unique.ecc.x = *lib::sized<TPM2B_ECC_PARAMETER>(random_bytes(32));
  return lib::build::create_primary(TPM2_RH_OWNER, key);
}

Buffer create_primary_rsa(std::uint16_t bits) {
  TPMT_PUBLIC key = storage_template(TPM2_ALG_RSA);
  key.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
  key.parameters.rsaDetail.keyBits = bits;
  key.unique.rsa = *lib::sized<TPM2B_PUBLIC_KEY_RSA>(random_bytes(32));
  return lib::build::create_primary(TPM2_RH_OWNER, key);
}

Buffer pcr_extend(std::uint32_t pcr, const Buffer& sha256) {
  return authorized(TPM2_CC_PCR_Extend, {pcr}).u32(1).u16(TPM2_ALG_SHA256).bytes(sha256).finish();
}

Buffer pcr_read(std::uint32_t pcr) {
  return lib::build::pcr_read(sha256_pcr(pcr));
}

Buffer hash(const Buffer& data) {
  return CommandBuilder(TPM2_CC_Hash).sized(data).u16(TPM2_ALG_SHA256).u32(TPM2_RH_NULL).finish();
}

Buffer nv_define(std::uint32_t index, std::uint16_t size) {
  return define(index, kOrdinaryIndex, size, {});
}

Buffer clear() {
  return authorized(TPM2_CC_Clear, {TPM2_RH_LOCKOUT}).finish();
}

Buffer dictionary_attack_parameters(std::uint32_t failures, std::uint32_t recovery,
                                    std::uint32_t lockout_recovery) {
  return authorized(TPM2_CC_DictionaryAttackParameters, {TPM2_RH_LOCKOUT})
      .u32(failures)
      .u32(recovery)
      .u32(lockout_recovery)
      .finish();
}

Buffer dictionary_attack_lock_reset() {
  return authorized(TPM2_CC_DictionaryAttackLockReset, {TPM2_RH_LOCKOUT}).finish();
}

Buffer start_auth_session(std::uint8_t type, std::uint32_t bind) {
  return CommandBuilder(TPM2_CC_StartAuthSession)
      .handle(TPM2_RH_NULL)
      .handle(bind)
      .sized(Buffer(16, 0))
      .sized({})
      .u8(type)
      .u16(TPM2_ALG_NULL)
      .u16(TPM2_ALG_SHA256)
      .finish();
}

Buffer policy_secret(std::uint32_t entity, std::uint32_t session, const std::string& password) {
  return authorized(TPM2_CC_PolicySecret, {entity, session}, password)
      .sized({})
      .sized({})
      .sized({})
      .u32(0)
      .finish();
}

Buffer nv_define_with_password(std::uint32_t index, std::uint16_t size,
                               const std::string& password) {
  return define(index, kPasswordIndex, size, password);
}

Buffer nv_read_as_index(std::uint32_t index, std::uint16_t size, const std::string& password) {
  return authorized(TPM2_CC_NV_Read, {index, index}, password).u16(size).u16(0).finish();
}

Buffer nv_write(std::uint32_t index, const Buffer& data) {
  return authorized(TPM2_CC_NV_Write, {TPM2_RH_OWNER, index}).sized(data).u16(0).finish();
}

Buffer nv_read(std::uint32_t index, std::uint16_t size) {
  return authorized(TPM2_CC_NV_Read, {TPM2_RH_OWNER, index}).u16(size).u16(0).finish();
}

Buffer hash_sequence_start() {
  return CommandBuilder(TPM2_CC_HashSequenceStart).u16(0).u16(TPM2_ALG_SHA256).finish();
}

Buffer sequence_update(std::uint32_t sequence, const Buffer& data) {
  return authorized(TPM2_CC_SequenceUpdate, {sequence}).sized(data).finish();
}

Buffer sequence_complete(std::uint32_t sequence) {
  return authorized(TPM2_CC_SequenceComplete, {sequence}).sized({}).u32(TPM2_RH_NULL).finish();
}

Buffer evict_control(std::uint32_t object, std::uint32_t persistent) {
  return authorized(TPM2_CC_EvictControl, {TPM2_RH_OWNER, object}).u32(persistent).finish();
}

Buffer pcr_reset(std::uint32_t pcr) {
  return authorized(TPM2_CC_PCR_Reset, {pcr}).finish();
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
  const auto list = lib::parse_words(behind_header(response), TPM2_CAP_HANDLES);
  return list ? list->items : std::vector<std::uint32_t>{};
}

std::uint32_t property(Bytes response) {
  const auto list = lib::parse_properties(behind_header(response));
  return list && !list->items.empty() ? list->items.front().value : 0;
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
