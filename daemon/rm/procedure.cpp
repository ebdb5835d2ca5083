#include "daemon/rm/procedure.h"

#include "daemon/tpm/command_class.h"
#include "daemon/tpm/response_code.h"

namespace tbs::rm {
namespace {

exec::Readiness readiness_of(std::uint32_t code) {
  if (code == tpm::rc::kNvRate) return exec::Readiness::NvLater;
  return tpm::remedy_of(code) == tpm::Remedy::Wait ? exec::Readiness::Later
                                                   : exec::Readiness::Ready;
}

bool loads_older_state(const Operation& operation) {
  switch (operation.verb) {
    case Verb::LoadObject:
      return !operation.object->saved.is_newest();
    case Verb::LoadSession:
      return !operation.session->saved.is_newest();
    default:
      return false;
  }
}

// Operations: three for each of a TPM's 64 sessions.
constexpr exec::TpmFamily kTpm20{.readiness_of = readiness_of,
                                 .deadline_of = tpm::deadline_of,
                                 .self_test = nullptr,
                                 .most_operations = 256};

}  // namespace

Procedure::Procedure(State& state) : exec::Procedure(state, kTpm20), state_(state) {}

exec::Step Procedure::perform(const Operation& operation) {
  operation_ = operation;
  if (state_.options.verify && loads_older_state(operation)) {
    state_.observer.older_state_loaded(operation.object != nullptr
                                           ? number_of(operation.object->virtual_handle)
                                           : number_of(operation.session->handle));
  }
  return operate(command_of(operation));
}

exec::Step Procedure::operation_answered(proto::Bytes response, std::uint32_t code) {
  const Operation operation = operation_;
  if (code != tpm::rc::kSuccess) return failed(operation, response, code);
  const auto view = tpm::parse_response(response, {.has_handle = returns_handle(operation)});
  if (!view || !apply(state_, operation, *view)) return invalid_response();
  return next();
}

}  // namespace tbs::rm
