#pragma once

// A program of the tpm2-tss family, as small as one can be: the system API on a TCTI context that
// tctildr has loaded by the module's path. What the calls return is what such a program sees.

#include <cstdint>
#include <string>
#include <vector>

#include <tss2/tss2_sys.h>

namespace tbs::test {

// What one may hand to tctildr to get the module under test with this socket.
std::string tcti_name(const std::string& socket);

class TssClient {
 public:
  // Throws when the module does not connect.
  explicit TssClient(const std::string& socket);
  ~TssClient();
  TssClient(TssClient&& other) noexcept;
  TssClient(const TssClient&) = delete;
  TssClient& operator=(const TssClient&) = delete;
  TssClient& operator=(TssClient&&) = delete;

  [[nodiscard]] TSS2_TCTI_CONTEXT* tcti() const { return tcti_; }
  [[nodiscard]] TSS2_SYS_CONTEXT* sys() const { return sys_; }

  // Bytes as they are, by the functions of the TCTI. `response` is empty when they fail.
  TSS2_RC exchange(const std::vector<std::uint8_t>& command, std::vector<std::uint8_t>& response);
  // The response code of such a command; the TCTI's when there is no response.
  TSS2_RC code_of(const std::vector<std::uint8_t>& command);

  TSS2_RC start_session(TPM2_SE type, TPM2_HANDLE& session) const;
  TSS2_RC save(TPM2_HANDLE handle, TPMS_CONTEXT& saved) const;
  TSS2_RC load(const TPMS_CONTEXT& saved, TPM2_HANDLE& handle) const;
  TSS2_RC flush(TPM2_HANDLE handle) const;
  TSS2_RC read_public(TPM2_HANDLE handle) const;
  // A P-256 storage key, the same at each call.
  TSS2_RC create_primary(TPM2_HANDLE& key) const;
  // A P-256 signing key below it, loaded.
  TSS2_RC create_key(TPM2_HANDLE parent, TPM2_HANDLE& key) const;
  TSS2_RC sign(TPM2_HANDLE key) const;
  TSS2_RC start_hash(TPM2_HANDLE& sequence) const;

  [[nodiscard]] std::vector<TPM2_HANDLE> handles(TPM2_HANDLE first) const;
  [[nodiscard]] UINT32 property(TPM2_PT property) const;

 private:
  void close();

  std::vector<std::uint64_t> memory_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  TSS2_SYS_CONTEXT* sys_ = nullptr;
};

}  // namespace tbs::test
