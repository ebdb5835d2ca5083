#include "tests/support/esys_client.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <tss2/tss2_tcti.h>

#include "tests/support/signing_template.h"

namespace tbs::test {

// The transport of tpm2-tss: its context begins with the table of functions.
struct EsysClient::Tcti {
  TSS2_TCTI_CONTEXT_COMMON_V1 common{};
  Submit submit;
  std::vector<std::uint8_t> response;

  static Tcti& of(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Tcti*>(context); }

  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size,
                          const std::uint8_t* command) {
    of(context).response = of(context).submit({command, command + size});
    return TSS2_RC_SUCCESS;
  }

  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                         std::int32_t) {
    const auto& bytes = of(context).response;
    if (response == nullptr) {
      *size = bytes.size();
      return TSS2_RC_SUCCESS;
    }
    if (*size < bytes.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    std::ranges::copy(bytes, response);
    *size = bytes.size();
    return TSS2_RC_SUCCESS;
  }
};

namespace {

constexpr std::uint64_t kTctiMagic = 0x7462737465737400;

template <typename T>
std::unique_ptr<T, decltype(&Esys_Free)> owned(T* pointer) {
  return {pointer, &Esys_Free};
}

}  // namespace

EsysClient::EsysClient(Submit submit) : tcti_(std::make_unique<Tcti>()) {
  tcti_->common.magic = kTctiMagic;
  tcti_->common.version = 1;
  tcti_->common.transmit = Tcti::transmit;
  tcti_->common.receive = Tcti::receive;
  tcti_->submit = std::move(submit);
  auto* const tcti = reinterpret_cast<TSS2_TCTI_CONTEXT*>(&tcti_->common);
  if (Esys_Initialize(&esys_, tcti, nullptr) != TSS2_RC_SUCCESS) {
    throw std::runtime_error("Esys_Initialize failed");
  }
}

EsysClient::~EsysClient() {
  Esys_Finalize(&esys_);
}

bool EsysClient::check(TSS2_RC code) {
  if (code != TSS2_RC_SUCCESS) fault_ = code;
  return code == TSS2_RC_SUCCESS;
}

TSS2_RC EsysClient::fault() {
  return std::exchange(fault_, 0);
}

ESYS_TR EsysClient::create_primary(std::uint8_t variant, ESYS_TR hierarchy, ESYS_TR session) {
  const TPM2B_PUBLIC in{.size = 0, .publicArea = signing_template(std::array{variant})};
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION pcrs{};
  ESYS_TR key = ESYS_TR_NONE;
  check(Esys_CreatePrimary(esys_, hierarchy, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                           &outside, &pcrs, &key, nullptr, nullptr, nullptr, nullptr));
  return key;
}

bool EsysClient::sign(ESYS_TR key, ESYS_TR session) {
  TPM2B_DIGEST digest{};
  digest.size = 32;
  const TPMT_SIG_SCHEME scheme{.scheme = TPM2_ALG_NULL, .details = {}};
  const TPMT_TK_HASHCHECK ticket{.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
  TPMT_SIGNATURE* signature = nullptr;
  const bool good = check(Esys_Sign(esys_, key, session, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                                    &scheme, &ticket, &signature));
  Esys_Free(signature);
  return good;
}

ESYS_TR EsysClient::start_session(TPM2_SE type, TPMA_SESSION attributes) {
  const TPMT_SYM_DEF none{.algorithm = TPM2_ALG_NULL, .keyBits = {}, .mode = {}};
  ESYS_TR session = ESYS_TR_NONE;
  if (check(Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                  ESYS_TR_NONE, nullptr, type, &none, TPM2_ALG_SHA256, &session))) {
    check(Esys_TRSess_SetAttributes(esys_, session, attributes, 0xFF));
  }
  return session;
}

bool EsysClient::flush(ESYS_TR handle) {
  return check(Esys_FlushContext(esys_, handle));
}

ESYS_TR EsysClient::start_hash() {
  const TPM2B_AUTH auth{};
  ESYS_TR sequence = ESYS_TR_NONE;
  check(Esys_HashSequenceStart(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &auth,
                               TPM2_ALG_SHA256, &sequence));
  return sequence;
}

bool EsysClient::update(ESYS_TR sequence, std::uint8_t byte) {
  TPM2B_MAX_BUFFER data{};
  data.size = 1;
  data.buffer[0] = byte;
  return check(
      Esys_SequenceUpdate(esys_, sequence, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data));
}

int EsysClient::complete(ESYS_TR sequence) {
  const TPM2B_MAX_BUFFER data{};
  TPM2B_DIGEST* digest = nullptr;
  TPMT_TK_HASHCHECK* ticket = nullptr;
  if (!check(Esys_SequenceComplete(esys_, sequence, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                   &data, ESYS_TR_RH_NULL, &digest, &ticket))) {
    return -1;
  }
  const auto digest_owner = owned(digest);
  const auto ticket_owner = owned(ticket);
  return digest->buffer[0];
}

std::vector<TPM2_HANDLE> EsysClient::handles(TPM2_HANDLE first) {
  TPMI_YES_NO more = TPM2_NO;
  TPMS_CAPABILITY_DATA* data = nullptr;
  if (!check(Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                                first, TPM2_MAX_CAP_HANDLES, &more, &data))) {
    return {};
  }
  const auto owner = owned(data);
  const TPML_HANDLE& list = data->data.handles;
  return {list.handle, list.handle + list.count};
}

TPM2_HANDLE EsysClient::tpm_handle(ESYS_TR object) {
  TPM2_HANDLE handle = 0;
  check(Esys_TR_GetTpmHandle(esys_, object, &handle));
  return handle;
}

std::unique_ptr<TPMS_CONTEXT> EsysClient::save(ESYS_TR object) {
  TPMS_CONTEXT* context = nullptr;
  if (!check(Esys_ContextSave(esys_, object, &context))) return nullptr;
  const auto owner = owned(context);
  return std::make_unique<TPMS_CONTEXT>(*context);
}

ESYS_TR EsysClient::load(const TPMS_CONTEXT& context) {
  ESYS_TR object = ESYS_TR_NONE;
  check(Esys_ContextLoad(esys_, &context, &object));
  return object;
}

}  // namespace tbs::test
