#include "daemon/exec/family_engine.h"

#include <functional>
#include <utility>

#include "daemon/exec/startup.h"

namespace tbs::exec {
namespace {

// The start common to both families, then the bring-up of the engine that it leads to.
class BringUp : public Execution {
 public:
  BringUp(TpmIdentity& identity, std::function<std::unique_ptr<Execution>()> next)
      : stage_(std::make_unique<Startup>(identity)), next_(std::move(next)) {}

  Step start() override { return follow(stage_->start()); }
  Step on_response(std::span<const std::uint8_t> response) override {
    return follow(stage_->on_response(response));
  }
  Step on_pause_over() override { return follow(stage_->on_pause_over()); }
  void withdraw() override {}
  void detach() override {}

 private:
  Step follow(Step step) {
    const auto* const done = std::get_if<Done>(&step);
    if (done == nullptr || done->status != proto::Status::Success || !next_) return step;
    stage_ = std::exchange(next_, {})();
    return stage_->start();
  }

  std::unique_ptr<Execution> stage_;
  std::function<std::unique_ptr<Execution>()> next_;
};

}  // namespace

void FamilyEngine::open_context(ContextId context, const Principal& principal) {
  tpm12_.open_context(context, principal);
  tpm20_.open_context(context, principal);
}

void FamilyEngine::close_context(ContextId context) {
  tpm12_.close_context(context);
  tpm20_.close_context(context);
}

std::unique_ptr<Execution> FamilyEngine::bring_up() {
  return std::make_unique<BringUp>(identity_, [this] { return behind().bring_up(); });
}

void FamilyEngine::device_lost() {
  tpm12_.device_lost();
  tpm20_.device_lost();
}

}  // namespace tbs::exec
