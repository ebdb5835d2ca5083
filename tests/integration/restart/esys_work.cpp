// Sessions of ESYS on the TCTI module. ESYS checks the HMAC of each response with the nonces of
// both sides, so a command that was carried out twice, or an answer that is lost, breaks the
// session.

#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "tests/integration/restart/work.h"
#include "tests/support/signing_template.h"

namespace tbs::test {
namespace {

template <typename T>
std::unique_ptr<T, decltype(&Esys_Free)> owned(T* pointer) {
  return {pointer, &Esys_Free};
}

class EsysSessions final : public Work {
 public:
  EsysSessions(const Setting& setting, unsigned number) : times_(setting.times) {
    const std::string module = std::string(TBS_TEST_TCTI) + ":socket=" + setting.socket;
    check(Tss2_TctiLdr_Initialize(module.c_str(), &tcti_), "TctiLdr");
    check(Esys_Initialize(&esys_, tcti_, nullptr), "Initialize");
    make_key(number);
    start_session();
  }
  ~EsysSessions() override {
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }
  EsysSessions(const EsysSessions&) = delete;
  EsysSessions& operator=(const EsysSessions&) = delete;

  void round() override {
    if (session_ == ESYS_TR_NONE) start_session();
    try {
      sign();
      random();
    } catch (const Fault&) {
      // ESYS and the TPM may not agree on its nonces any more.
      Esys_FlushContext(esys_, session_);
      session_ = ESYS_TR_NONE;
      throw;
    }
  }

 private:
  void check(TSS2_RC code, const char* what) {
    if (code != TSS2_RC_SUCCESS) {
      throw Fault(std::string("lost: Esys_") + what + ": " + Tss2_RC_Decode(code));
    }
    times_.note();
  }

  void make_key(unsigned number) {
    const std::uint8_t unique[] = {'e', static_cast<std::uint8_t>(number)};
    const TPM2B_PUBLIC in{.size = 0, .publicArea = signing_template(unique)};
    TPM2B_SENSITIVE_CREATE sensitive{};
    sensitive.sensitive.userAuth = {.size = 6, .buffer = {'s', 'e', 'c', 'r', 'e', 't'}};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    check(Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                             &sensitive, &in, &outside, &pcrs, &key_, nullptr, nullptr, nullptr,
                             nullptr),
          "CreatePrimary");
    check(Esys_TR_SetAuth(esys_, key_, &sensitive.sensitive.userAuth), "TR_SetAuth");
  }

  void start_session() {
    const TPMT_SYM_DEF aes{
        .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};
    check(Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &aes, TPM2_ALG_SHA256,
                                &session_),
          "StartAuthSession");
  }

  void use_session_for(TPMA_SESSION what) {
    check(Esys_TRSess_SetAttributes(esys_, session_, what | TPMA_SESSION_CONTINUESESSION, 0xFF),
          "TRSess_SetAttributes");
  }

  void sign() {
    use_session_for(TPMA_SESSION_DECRYPT);
    const proto::Buffer bytes = random_bytes(32);
    const TPM2B_DIGEST digest = *tbs::tpm::sized<TPM2B_DIGEST>(bytes);
    const TPMT_SIG_SCHEME scheme{.scheme = TPM2_ALG_NULL, .details = {}};
    const TPMT_TK_HASHCHECK ticket{
        .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
    TPMT_SIGNATURE* made = nullptr;
    check(Esys_Sign(esys_, key_, session_, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket,
                    &made),
          "Sign");
    const auto signature = owned(made);
    TPMT_TK_VERIFIED* verified = nullptr;
    check(Esys_VerifySignature(esys_, key_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                               signature.get(), &verified),
          "VerifySignature");
    Esys_Free(verified);
  }

  void random() {
    use_session_for(TPMA_SESSION_ENCRYPT | TPMA_SESSION_AUDIT);
    TPM2B_DIGEST* bytes = nullptr;
    check(Esys_GetRandom(esys_, session_, ESYS_TR_NONE, ESYS_TR_NONE, 16, &bytes), "GetRandom");
    Esys_Free(bytes);
  }

  AnswerTimes& times_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR key_ = ESYS_TR_NONE;
  ESYS_TR session_ = ESYS_TR_NONE;
};

}  // namespace

std::unique_ptr<Work> esys_sessions(const Setting& setting, unsigned number) {
  return std::make_unique<EsysSessions>(setting, number);
}

}  // namespace tbs::test
