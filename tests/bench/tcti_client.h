#pragma once

// Through a TCTI module that is loaded at run time, by the bytes of TPM commands.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <tss2/tss2_tcti.h>

#include "tests/bench/client.h"

namespace tbs::bench {

class TctiClient : public Client {
 public:
  // `what` it is, for messages.
  TctiClient(TSS2_TCTI_INIT_FUNC init, const std::string& configuration, std::string what);
  ~TctiClient() override;
  TctiClient(const TctiClient&) = delete;
  TctiClient& operator=(const TctiClient&) = delete;

  proto::Bytes run(proto::Bytes command) override;

 protected:
  [[nodiscard]] TSS2_TCTI_CONTEXT* context() {
    return reinterpret_cast<TSS2_TCTI_CONTEXT*>(memory_.data());
  }
  // Throws when the code is not success.
  void check(TSS2_RC code, const char* doing) const;

 private:
  const std::string what_;
  std::vector<std::max_align_t> memory_;
  std::array<std::uint8_t, 4096> room_{};
};

// How to open the module in this file; throws when there is none.
TSS2_TCTI_INIT_FUNC load_tcti(const std::string& path);

}  // namespace tbs::bench
