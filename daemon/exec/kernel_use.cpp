#include "daemon/exec/kernel_use.h"

namespace tbs::exec {

void KernelUse::set_node(Node node, TimePoint now) {
  node_ = node;
  last_.reset();
  if (node == Node::Watched) last_ = now;
}

Share KernelUse::share(TimePoint now) const {
  if (node_ == Node::Unseen || changes_at(now)) return Share::Strict;
  return kernel_itself_ ? Share::Spare : Share::Idle;
}

std::optional<TimePoint> KernelUse::changes_at(TimePoint now) const {
  if (!last_ || now >= *last_ + kMemory) return std::nullopt;
  return *last_ + kMemory;
}

}  // namespace tbs::exec
