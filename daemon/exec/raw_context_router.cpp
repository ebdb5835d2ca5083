#include "daemon/exec/raw_context_router.h"

#include <utility>

namespace tbs::exec {

void RawContextRouter::open_context(ContextId context, const Principal& principal) {
  (claimed_ == context ? raw_ : managed_).open_context(context, principal);
}

void RawContextRouter::close_context(ContextId context) {
  if (claimed_ != context) {
    managed_.close_context(context);
    return;
  }
  raw_.close_context(context);
  claimed_.reset();
  left_ = true;
}

std::unique_ptr<Execution> RawContextRouter::execute(SharedCommand command) {
  Engine& engine = claimed_ == command->context() ? raw_ : managed_;
  return engine.execute(std::move(command));
}

std::unique_ptr<Execution> RawContextRouter::housekeeping() {
  if (std::exchange(left_, false)) return managed_.bring_up();
  return managed_.housekeeping();
}

// Nothing is moved away while somebody counts on finding it.
std::unique_ptr<Execution> RawContextRouter::idle_housekeeping() {
  return claimed_ ? nullptr : managed_.idle_housekeeping();
}

std::unique_ptr<Execution> RawContextRouter::bring_up() {
  left_ = false;
  return managed_.bring_up();
}

}  // namespace tbs::exec
