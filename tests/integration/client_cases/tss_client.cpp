#include "tests/integration/client_cases/tss_client.h"

#include <stdexcept>
#include <utility>

#include <tss2/tss2_tctildr.h>

#include "proto/byte_reader.h"

namespace tbs::test {
namespace {

constexpr TPMA_OBJECT kPlain = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                               TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;

TPM2B_PUBLIC storage_key() {
  TPM2B_PUBLIC made{};
  TPMT_PUBLIC& key = made.publicArea;
  key.type = TPM2_ALG_ECC;
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = kPlain | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  key.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
  key.parameters.eccDetail.symmetric.keyBits.aes = 128;
  key.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
  key.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
  key.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  key.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  return made;
}

TPM2B_PUBLIC signing_key() {
  TPM2B_PUBLIC made = storage_key();
  made.publicArea.objectAttributes = kPlain | TPMA_OBJECT_SIGN_ENCRYPT;
  made.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
  made.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  made.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return made;
}

TSS2L_SYS_AUTH_COMMAND no_password() {
  TSS2L_SYS_AUTH_COMMAND made{};
  made.count = 1;
  made.auths[0].sessionHandle = TPM2_RS_PW;
  return made;
}

}  // namespace

std::string tcti_name(const std::string& socket) {
  return std::string(TBS_TEST_TCTI) + ":socket=" + socket;
}

TssClient::TssClient(const std::string& socket) {
  if (Tss2_TctiLdr_Initialize(tcti_name(socket).c_str(), &tcti_) != TSS2_RC_SUCCESS) {
    throw std::runtime_error("the TCTI module does not connect");
  }
  const std::size_t size = Tss2_Sys_GetContextSize(0);
  memory_.resize(size / sizeof(std::uint64_t) + 1);
  sys_ = reinterpret_cast<TSS2_SYS_CONTEXT*>(memory_.data());
  TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
  if (Tss2_Sys_Initialize(sys_, size, tcti_, &abi) != TSS2_RC_SUCCESS) {
    sys_ = nullptr;
    close();
    throw std::runtime_error("the system API does not take the TCTI context");
  }
}

TssClient::TssClient(TssClient&& other) noexcept
    : memory_(std::move(other.memory_)),
      tcti_(std::exchange(other.tcti_, nullptr)),
      sys_(std::exchange(other.sys_, nullptr)) {}

TssClient::~TssClient() {
  close();
}

void TssClient::close() {
  if (sys_ != nullptr) Tss2_Sys_Finalize(std::exchange(sys_, nullptr));
  if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
}

TSS2_RC TssClient::exchange(const std::vector<std::uint8_t>& command,
                            std::vector<std::uint8_t>& response) {
  response.clear();
  TSS2_RC result = Tss2_Tcti_Transmit(tcti_, command.size(), command.data());
  if (result != TSS2_RC_SUCCESS) return result;
  std::vector<std::uint8_t> room(TPM2_MAX_RESPONSE_SIZE);
  std::size_t size = room.size();
  result = Tss2_Tcti_Receive(tcti_, &size, room.data(), TSS2_TCTI_TIMEOUT_BLOCK);
  if (result != TSS2_RC_SUCCESS) return result;
  response.assign(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
  return result;
}

TSS2_RC TssClient::code_of(const std::vector<std::uint8_t>& command) {
  std::vector<std::uint8_t> response;
  const TSS2_RC result = exchange(command, response);
  if (result != TSS2_RC_SUCCESS) return result;
  proto::ByteReader reader(response);
  reader.skip(2);
  const std::uint32_t size = reader.be32();
  const std::uint32_t code = reader.be32();
  return reader.ok() && size == response.size() ? code : TSS2_BASE_RC_MALFORMED_RESPONSE;
}

TSS2_RC TssClient::start_session(TPM2_SE type, TPM2_HANDLE& session) const {
  TPM2B_NONCE ours{};
  ours.size = 32;
  TPM2B_NONCE theirs{};
  TPMT_SYM_DEF none{};
  none.algorithm = TPM2_ALG_NULL;
  return Tss2_Sys_StartAuthSession(sys_, TPM2_RH_NULL, TPM2_RH_NULL, nullptr, &ours, nullptr, type,
                                   &none, TPM2_ALG_SHA256, &session, &theirs, nullptr);
}

TSS2_RC TssClient::save(TPM2_HANDLE handle, TPMS_CONTEXT& saved) const {
  saved = {};
  return Tss2_Sys_ContextSave(sys_, handle, &saved);
}

TSS2_RC TssClient::load(const TPMS_CONTEXT& saved, TPM2_HANDLE& handle) const {
  return Tss2_Sys_ContextLoad(sys_, &saved, &handle);
}

TSS2_RC TssClient::flush(TPM2_HANDLE handle) const {
  return Tss2_Sys_FlushContext(sys_, handle);
}

TSS2_RC TssClient::read_public(TPM2_HANDLE handle) const {
  TPM2B_PUBLIC area{};
  TPM2B_NAME name{};
  TPM2B_NAME qualified{};
  return Tss2_Sys_ReadPublic(sys_, handle, nullptr, &area, &name, &qualified, nullptr);
}

TSS2_RC TssClient::create_primary(TPM2_HANDLE& key) const {
  const TSS2L_SYS_AUTH_COMMAND authorization = no_password();
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC area = storage_key();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_NAME name{};
  return Tss2_Sys_CreatePrimary(sys_, TPM2_RH_OWNER, &authorization, &sensitive, &area, &outside,
                                &pcrs, &key, nullptr, nullptr, nullptr, nullptr, &name, nullptr);
}

TSS2_RC TssClient::create_key(TPM2_HANDLE parent, TPM2_HANDLE& key) const {
  const TSS2L_SYS_AUTH_COMMAND authorization = no_password();
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC area = signing_key();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  TPM2B_PRIVATE secret{};
  TPM2B_PUBLIC made{};
  const TSS2_RC created =
      Tss2_Sys_Create(sys_, parent, &authorization, &sensitive, &area, &outside, &pcrs, &secret,
                      &made, nullptr, nullptr, nullptr, nullptr);
  if (created != TSS2_RC_SUCCESS) return created;
  TPM2B_NAME name{};
  return Tss2_Sys_Load(sys_, parent, &authorization, &secret, &made, &key, &name, nullptr);
}

TSS2_RC TssClient::sign(TPM2_HANDLE key) const {
  const TSS2L_SYS_AUTH_COMMAND authorization = no_password();
  TPM2B_DIGEST digest{};
  digest.size = 32;
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;
  TPMT_TK_HASHCHECK ticket{};
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  TPMT_SIGNATURE signature{};
  return Tss2_Sys_Sign(sys_, key, &authorization, &digest, &scheme, &ticket, &signature, nullptr);
}

TSS2_RC TssClient::start_hash(TPM2_HANDLE& sequence) const {
  const TPM2B_AUTH password{};
  return Tss2_Sys_HashSequenceStart(sys_, nullptr, &password, TPM2_ALG_SHA256, &sequence, nullptr);
}

std::vector<TPM2_HANDLE> TssClient::handles(TPM2_HANDLE first) const {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA data{};
  if (Tss2_Sys_GetCapability(sys_, nullptr, TPM2_CAP_HANDLES, first, 200, &more, &data, nullptr) !=
          TSS2_RC_SUCCESS ||
      more != 0) {
    throw std::runtime_error("the handles cannot be listed");
  }
  const TPML_HANDLE& list = data.data.handles;
  return {list.handle, list.handle + list.count};
}

UINT32 TssClient::property(TPM2_PT property) const {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA data{};
  if (Tss2_Sys_GetCapability(sys_, nullptr, TPM2_CAP_TPM_PROPERTIES, property, 1, &more, &data,
                             nullptr) != TSS2_RC_SUCCESS ||
      data.data.tpmProperties.count != 1) {
    throw std::runtime_error("the property cannot be read");
  }
  return data.data.tpmProperties.tpmProperty[0].value;
}

}  // namespace tbs::test
