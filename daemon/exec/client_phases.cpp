#include "daemon/exec/client_phases.h"

#include <utility>

namespace tbs::exec {

Step ClientPhases::proceed() {
  while (phase_ != Phase::Over) {
    const Phase before = phase_;
    if (auto step = step_of(before)) return std::move(*step);
    if (phase_ == before) phase_ = static_cast<Phase>(static_cast<unsigned>(before) + 1);
  }
  return reply();
}

std::optional<Step> ClientPhases::step_of(Phase phase) {
  switch (phase) {
    case Phase::Check:
    case Phase::After:
      return look();
    case Phase::Decide:
      return decide();
    case Phase::Prepare:
      return prepare();
    case Phase::Command:
      return transmit();
    case Phase::Undo:
      return undo();
    case Phase::Verify:
      return verify();
    case Phase::Over:
      break;
  }
  return std::nullopt;
}

}  // namespace tbs::exec
