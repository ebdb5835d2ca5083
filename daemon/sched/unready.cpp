#include "daemon/sched/unready.h"

#include "daemon/command/nv_writes.h"

namespace tbs::sched {

void Unready::refused(const ClientCommand& command, exec::Later what, TimePoint now) {
  if (what == exec::Later::NvWrites) return nv_writes_.renew(now);
  if (last_ && *last_ != command.context()) all_.renew(now);
  last_ = command.context();
}

void Unready::taken(const ClientCommand& command) {
  if (nv_writes_.begun() && writes_nv(command.code())) nv_writes_.end();
  all_.end();
  last_.reset();
}

std::optional<TimePoint> Unready::until(const ClientCommand& command, TimePoint now) const {
  const auto until = nv_writes_.until(now);
  return until && writes_nv(command.code()) ? until : std::nullopt;
}

}  // namespace tbs::sched
