#include "daemon/rm/survey_execution.h"

#include <utility>

namespace tbs::rm {

using exec::Step;

SurveyExecution::SurveyExecution(State& state, Survey::Reason reason)
    : Procedure(state), survey_(state, reason) {}

Step SurveyExecution::next() {
  if (auto command = survey_.next()) return send(std::move(*command));
  return done(proto::Status::Success);
}

Step SurveyExecution::answered(proto::Bytes response, std::uint32_t code) {
  static_cast<void>(code);
  if (survey_.take(response)) return next();
  state_.chores_stalled = true;
  return done(proto::Status::IoError);
}

Step SurveyExecution::failed(const Operation& operation, proto::Bytes response,
                             std::uint32_t code) {
  // It performs no operations.
  static_cast<void>(operation);
  return answered(response, code);
}

}  // namespace tbs::rm
