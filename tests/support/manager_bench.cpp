#include "tests/support/manager_bench.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "daemon/exec/backoff.h"
#include "daemon/tpm/command_class.h"
#include "daemon/tpm12/command_class.h"
#include "proto/tpm_header.h"
#include "tests/support/client_command.h"

namespace tbs::test {
namespace {

// Far above what any execution needs: a test that gets here has found an endless loop.
constexpr std::size_t kMostSteps = 5000;

}  // namespace

exec::Done ManagerBench::run(exec::Execution& execution) {
  return run(execution, kMostSteps);
}

exec::Done ManagerBench::run(exec::Execution& execution, std::size_t steps) {
  if (steps == 0) execution.withdraw();
  exec::Step step = execution.start();
  for (std::size_t i = 0; i < kMostSteps; ++i) {
    if (auto* const end = std::get_if<exec::Done>(&step)) return std::move(*end);
    if (const auto* const pause = std::get_if<exec::Pause>(&step)) {
      paused += pause->duration;
      step = execution.on_pause_over();
      continue;
    }
    const exec::Transmit transmit = std::get<exec::Transmit>(step);
    const auto header = proto::read_tpm_header(transmit.command);
    sent.push_back(header ? header->code : 0);
    if (on_transmit) on_transmit(execution, transmit);
    if (--steps == 0) execution.withdraw();
    step = execution.on_response(tpm_(transmit.command));
  }
  throw std::runtime_error("the execution does not end");
}

void ManagerBench::run_due() {
  for (std::size_t i = 0; i < kMostSteps; ++i) {
    const auto execution = engine().housekeeping();
    if (execution == nullptr) return;
    run(*execution);
  }
  throw std::runtime_error("housekeeping does not end");
}

void ManagerBench::run_idle() {
  run_due();
  if (const auto execution = engine().idle_housekeeping()) run(*execution);
}

void ManagerBench::run_idle(std::size_t steps) {
  run_due();
  if (const auto execution = engine().idle_housekeeping()) run(*execution, steps);
}

void ManagerBench::bring_up() {
  const auto execution = engine().bring_up();
  if (run(*execution).status != proto::Status::Success) {
    throw std::runtime_error("the TPM cannot be brought up");
  }
}

std::unique_ptr<exec::Execution> ManagerBench::execute(ContextId context, Bytes command) {
  auto read = client_command({.context = context, .family = family_, .bytes = std::move(command)});
  if (read == nullptr) throw std::runtime_error("this is no command");
  return engine().execute(std::move(read));
}

ManagerBench::Bytes ManagerBench::submit(ContextId context, Bytes command) {
  run_due();
  const auto header = proto::read_tpm_header(command);
  const std::uint32_t code = header ? header->code : 0;
  exec::Backoff backoff(std::min<std::chrono::seconds>(
      family_ == Family::Tpm20 ? tpm::deadline_of(code) : tpm12::deadline_of(code),
      exec::kPatience));
  exec::Done end = run(*execute(context, command));
  while (end.later != exec::Later::No) {
    const auto pause = backoff.next();
    if (!pause) break;
    paused += *pause;
    if (between) between();
    run_due();
    end = run(*execute(context, command));
  }
  if (end.status != proto::Status::Success) throw std::runtime_error("the command failed");
  return std::move(end.response);
}

}  // namespace tbs::test
