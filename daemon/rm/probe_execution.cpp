#include "daemon/rm/probe_execution.h"

#include <utility>

namespace tbs::rm {

using exec::Step;

ProbeExecution::ProbeExecution(State& state, TpmProbe::Reason reason)
    : Procedure(state), probe_(state, reason) {}

Step ProbeExecution::next() {
  if (auto command = probe_.next()) return send(std::move(*command));
  return done(proto::Status::Success);
}

Step ProbeExecution::answered(proto::Bytes response, std::uint32_t code) {
  static_cast<void>(code);
  if (probe_.take(response)) return next();
  state_.maintenance_stalled = true;
  return done(proto::Status::IoError);
}

Step ProbeExecution::failed(const Operation& operation, proto::Bytes response, std::uint32_t code) {
  // It performs no operations.
  static_cast<void>(operation);
  return answered(response, code);
}

}  // namespace tbs::rm
