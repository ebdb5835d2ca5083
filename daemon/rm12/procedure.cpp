#include "daemon/rm12/procedure.h"

#include "daemon/tpm12/command_class.h"
#include "daemon/tpm12/response_code.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {
namespace {

exec::Readiness readiness_of(std::uint32_t code) {
  switch (tpm12::remedy_of(code)) {
    case tpm12::Remedy::Wait:
      return exec::Readiness::Later;
    case tpm12::Remedy::SelfTest:
      return exec::Readiness::SelfTest;
    default:
      return exec::Readiness::Ready;
  }
}

constexpr exec::TpmFamily kTpm12{.readiness_of = readiness_of,
                                 .deadline_of = tpm12::deadline_of,
                                 .self_test = tpm12::build::continue_self_test,
                                 .most_operations = 1024};

}  // namespace

Procedure::Procedure(State& state) : exec::Procedure(state, kTpm12), state_(state) {}

exec::Step Procedure::perform(const Operation& operation) {
  operation_ = operation;
  if (state_.options.verify && operation.verb == Verb::Load &&
      !operation.resource->saved.is_newest()) {
    state_.observer.older_state_loaded(number_of(operation.resource->handle));
  }
  return operate(command_of(operation));
}

exec::Step Procedure::operation_answered(proto::Bytes response, std::uint32_t code) {
  const Operation operation = operation_;
  if (code != tpm12::rc::kSuccess) return failed(operation, response, code);
  const auto view = tpm12::parse_response(response);
  if (!view || !apply(state_, operation, *view)) return invalid_response();
  return next();
}

}  // namespace tbs::rm12
