#pragma once

// Through tpm2-abrmd, with the TCTI module of its package, by the bytes of TPM commands. The module
// is loaded at run time.

#include <array>
#include <string>
#include <vector>

#include <tss2/tss2_tcti.h>

#include "tests/bench/client.h"

namespace tbs::bench {

class TabrmdClient : public Client {
 public:
  // `bus_name` on the session bus of this process's environment.
  explicit TabrmdClient(const std::string& bus_name);
  ~TabrmdClient() override;
  TabrmdClient(const TabrmdClient&) = delete;
  TabrmdClient& operator=(const TabrmdClient&) = delete;

  proto::Bytes run(proto::Bytes command) override;
  // What carries its commands and responses, for whoever wants to send without the module's leave.
  [[nodiscard]] int socket();

 private:
  [[nodiscard]] TSS2_TCTI_CONTEXT* context() {
    return reinterpret_cast<TSS2_TCTI_CONTEXT*>(memory_.data());
  }

  std::vector<std::max_align_t> memory_;
  std::array<std::uint8_t, 4096> room_{};
};

OpenClient tabrmd_clients(const std::string& bus_name);

// Whether the module is installed.
bool have_tabrmd();

}  // namespace tbs::bench
