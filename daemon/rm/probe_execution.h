#pragma once

// A look at the TPM as an execution of its own: after the device was opened, and when the tables
// are in doubt while no client waits.

#include "daemon/rm/procedure.h"
#include "daemon/rm/tpm_probe.h"

namespace tbs::rm {

class ProbeExecution final : public Procedure {
 public:
  ProbeExecution(State& state, TpmProbe::Reason reason);

 private:
  Step next() override;
  Step answered(proto::Bytes response, std::uint32_t code) override;
  Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) override;

  TpmProbe probe_;
};

}  // namespace tbs::rm
