#include "daemon/exec/guarded_engine.h"

#include <utility>

namespace tbs::exec {
namespace {

// Ends at once with this response.
class Answered : public Execution {
 public:
  explicit Answered(std::vector<std::uint8_t> response) : response_(std::move(response)) {}

  Step start() override { return Done{.response = std::move(response_)}; }
  Step on_response(std::span<const std::uint8_t>) override { return Done{}; }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  std::vector<std::uint8_t> response_;
};

class Watched : public Execution {
 public:
  Watched(std::unique_ptr<Execution> execution, GuardedEngine::Watcher watcher)
      : execution_(std::move(execution)), watcher_(std::move(watcher)) {}

  Step start() override { return noted(execution_->start()); }
  Step on_response(std::span<const std::uint8_t> response) override {
    if (client_command_) watcher_(response);
    return noted(execution_->on_response(response));
  }
  Step on_pause_over() override { return noted(execution_->on_pause_over()); }
  void withdraw() override { execution_->withdraw(); }
  void detach() override { execution_->detach(); }

 private:
  Step noted(Step step) {
    const auto* const transmit = std::get_if<Transmit>(&step);
    client_command_ = transmit != nullptr && transmit->client_command;
    return step;
  }

  std::unique_ptr<Execution> execution_;
  GuardedEngine::Watcher watcher_;
  bool client_command_ = false;  // is what the TPM was sent last
};

}  // namespace

std::unique_ptr<Execution> GuardedEngine::execute(ContextId context, std::uint8_t locality,
                                                  std::vector<std::uint8_t> command) {
  Verdict verdict = judge_ ? judge_(context, command) : Verdict{};
  if (verdict.answer) return std::make_unique<Answered>(*std::move(verdict.answer));
  auto execution = engine_.execute(context, locality, std::move(command));
  if (!verdict.watcher) return execution;
  return std::make_unique<Watched>(std::move(execution), std::move(verdict.watcher));
}

}  // namespace tbs::exec
