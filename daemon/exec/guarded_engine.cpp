#include "daemon/exec/guarded_engine.h"

#include <functional>
#include <utility>

namespace tbs::exec {
namespace {

// Ends at once with this response.
class Refused final : public Execution {
 public:
  explicit Refused(proto::Buffer response) : response_(std::move(response)) {}

  Step start() override { return Done{.response = std::move(response_)}; }
  Step on_response(proto::Bytes) override { return Done{}; }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  proto::Buffer response_;
};

class Watched final : public Execution {
 public:
  Watched(SharedCommand command, std::unique_ptr<Execution> execution, CommandGuard& guard)
      : command_(std::move(command)), execution_(std::move(execution)), guard_(guard) {}

  Step start() override { return noted(execution_->start()); }
  Step on_response(proto::Bytes response) override {
    if (client_command_) guard_.responded(*command_, response);
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

  SharedCommand command_;
  std::unique_ptr<Execution> execution_;
  CommandGuard& guard_;
  bool client_command_ = false;  // is what the TPM was sent last
};

// Asks the TPM something first. What the command becomes is decided with the answer.
class Asking final : public Execution {
 public:
  using Decide = std::function<std::unique_ptr<Execution>()>;

  Asking(proto::Buffer question, CommandGuard& guard, Decide decide)
      : question_(std::move(question)), guard_(guard), decide_(std::move(decide)) {}

  Step start() override { return Transmit{.command = std::move(question_)}; }
  Step on_response(proto::Bytes response) override {
    if (decided_) return decided_->on_response(response);
    guard_.answered(response);
    if (withdrawn_) return Done{.status = proto::Status::CommandCanceled};
    decided_ = decide_();
    return decided_->start();
  }
  Step on_pause_over() override { return decided_->on_pause_over(); }
  void withdraw() override { decided_ ? decided_->withdraw() : give_up(); }
  void detach() override { decided_ ? decided_->detach() : give_up(); }

 private:
  void give_up() { withdrawn_ = true; }

  proto::Buffer question_;
  CommandGuard& guard_;
  Decide decide_;
  std::unique_ptr<Execution> decided_;
  bool withdrawn_ = false;
};

}  // namespace

std::unique_ptr<Execution> GuardedEngine::execute(SharedCommand command) {
  auto question = guard_.question(*command);
  if (!question) return decide(std::move(command));
  return std::make_unique<Asking>(*std::move(question), guard_,
                                  [this, command = std::move(command)] { return decide(command); });
}

std::unique_ptr<Execution> GuardedEngine::decide(SharedCommand command) {
  if (auto refusal = guard_.refusal(*command)) {
    return std::make_unique<Refused>(*std::move(refusal));
  }
  if (!guard_.watches(*command)) return engine_.execute(std::move(command));
  auto execution = engine_.execute(command);
  return std::make_unique<Watched>(std::move(command), std::move(execution), guard_);
}

}  // namespace tbs::exec
