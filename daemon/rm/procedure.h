#pragma once

// The frame of every execution for TPM 2.0: that of both families, with operations that keep the
// tables true.

#include <cstdint>

#include "daemon/exec/procedure.h"
#include "daemon/rm/operation.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

class Procedure : public exec::Procedure {
 public:
  using Step = exec::Step;

  explicit Procedure(State& state);

 protected:
  // An operation was refused with this response; the tables have not been touched yet.
  virtual Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) = 0;

  Step perform(const Operation& operation);

  State& state_;

 private:
  Step operation_answered(proto::Bytes response, std::uint32_t code) final;

  Operation operation_;  // the last one
};

}  // namespace tbs::rm
