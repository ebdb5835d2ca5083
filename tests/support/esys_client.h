#pragma once

// A client of the resource manager that speaks through the enhanced API of tpm2-tss, so that
// authorizations, HMACs and parameter encryption are those of real programs. Not for speed.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <tss2/tss2_esys.h>

namespace tbs::test {

class EsysClient {
 public:
  using Submit = std::function<std::vector<std::uint8_t>(std::vector<std::uint8_t>)>;

  explicit EsysClient(Submit submit);
  ~EsysClient();
  EsysClient(const EsysClient&) = delete;
  EsysClient& operator=(const EsysClient&) = delete;

  [[nodiscard]] ESYS_CONTEXT* get() const { return esys_; }

  // The last response code that was not success; 0 when there was none since it was last read.
  TSS2_RC fault();

  // Keys are P-256 signing keys without authorization; `variant` makes them different.
  ESYS_TR create_primary(std::uint8_t variant, ESYS_TR hierarchy = ESYS_TR_RH_OWNER,
                         ESYS_TR session = ESYS_TR_PASSWORD);
  bool sign(ESYS_TR key, ESYS_TR session = ESYS_TR_PASSWORD);
  ESYS_TR start_session(TPM2_SE type, TPMA_SESSION attributes = TPMA_SESSION_CONTINUESESSION);
  bool flush(ESYS_TR handle);
  ESYS_TR start_hash();
  bool update(ESYS_TR sequence, std::uint8_t byte);
  // The first byte of the digest, or -1.
  int complete(ESYS_TR sequence);
  std::vector<TPM2_HANDLE> handles(TPM2_HANDLE first);
  // The TPM handle behind an object of the enhanced API.
  TPM2_HANDLE tpm_handle(ESYS_TR object);
  // Empty when it failed.
  std::unique_ptr<TPMS_CONTEXT> save(ESYS_TR object);
  ESYS_TR load(const TPMS_CONTEXT& context);

  // Notes the code; true when it is success.
  bool check(TSS2_RC code);

 private:
  struct Tcti;
  std::unique_ptr<Tcti> tcti_;
  ESYS_CONTEXT* esys_ = nullptr;
  TSS2_RC fault_ = 0;
};

}  // namespace tbs::test
