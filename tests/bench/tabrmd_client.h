#pragma once

// Through tpm2-abrmd, with the TCTI module of its package, by the bytes of TPM commands. The module
// is loaded at run time.

#include <string>

#include "tests/bench/tcti_client.h"

namespace tbs::bench {

class TabrmdClient : public TctiClient {
 public:
  // `bus_name` on the session bus of this process's environment.
  explicit TabrmdClient(const std::string& bus_name);

  // What carries its commands and responses, for whoever wants to send without the module's leave.
  [[nodiscard]] int socket();
};

OpenClient tabrmd_clients(const std::string& bus_name);

// Whether the module is installed.
bool have_tabrmd();

}  // namespace tbs::bench
