#include "tests/support/rm_bench.h"

#include <stdexcept>
#include <utility>

#include "daemon/tpm/command_view.h"

namespace tbs::test {
namespace {

// Far above what any execution needs: a test that gets here has found an endless loop.
constexpr int kMostSteps = 5000;

}  // namespace

RmBench::RmBench(rm::Options options, Tpm tpm)
    : manager((
                  options.now = [this] { return now; }, std::move(options)),
              notes),
      tpm_(std::move(tpm)) {}

exec::Step RmBench::answer(exec::Execution& execution, const exec::Transmit& transmit) {
  sent.push_back(tpm::command_code_of(transmit.command));
  if (on_transmit) on_transmit(transmit);
  return execution.on_response(tpm_(transmit.command));
}

exec::Done RmBench::run(exec::Execution& execution) {
  exec::Step step = execution.start();
  for (int i = 0; i < kMostSteps; ++i) {
    if (auto* const end = std::get_if<exec::Done>(&step)) return std::move(*end);
    if (const auto* const pause = std::get_if<exec::Pause>(&step)) {
      paused += pause->duration;
      step = execution.on_pause_over();
    } else {
      const exec::Transmit transmit = std::get<exec::Transmit>(step);
      step = answer(execution, transmit);
    }
  }
  throw std::runtime_error("the execution does not end");
}

void RmBench::run_due() {
  for (int i = 0; i < kMostSteps; ++i) {
    const auto execution = manager.housekeeping();
    if (execution == nullptr) return;
    run(*execution);
  }
  throw std::runtime_error("housekeeping does not end");
}

void RmBench::run_idle() {
  run_due();
  if (const auto execution = manager.idle_housekeeping()) run(*execution);
}

void RmBench::bring_up() {
  const auto execution = manager.bring_up();
  if (run(*execution).status != proto::Status::Success) {
    throw std::runtime_error("the TPM cannot be brought up");
  }
}

RmBench::Bytes RmBench::submit(ContextId context, Bytes command) {
  run_due();
  const auto execution = manager.execute(context, 0, std::move(command));
  exec::Done end = run(*execution);
  if (end.status != proto::Status::Success) throw std::runtime_error("the command failed");
  return std::move(end.response);
}

}  // namespace tbs::test
