#pragma once

// Asks tbsd what the checks of the TPM and of clients look at. Whatever cannot be told says why,
// and all of it ends within seconds.

#include "client/tbsctl/doctor/client_check.h"
#include "client/tbsctl/doctor/tpm_check.h"
#include "client/tbsctl/health/ask_health.h"

namespace tbs::ctl {

struct DaemonFacts {
  TpmFacts tpm;
  MeasurementFacts measurements;
  ClientFacts clients;
};

DaemonFacts daemon_facts(const Connector& connect);

}  // namespace tbs::ctl
