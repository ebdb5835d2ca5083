#include "client/tbsctl/contexts/context_order.h"

#include <algorithm>
#include <functional>

namespace tbs::ctl {
namespace {

using proto::ContextEntry;

// By what `before` says of two keys, and else by number.
template <typename Key, typename Before>
void sort_by(std::vector<ContextEntry>& entries, Key key, Before before) {
  std::ranges::sort(entries, [&](const ContextEntry& one, const ContextEntry& other) {
    const auto of_one = std::invoke(key, one);
    const auto of_other = std::invoke(key, other);
    return of_one != of_other ? before(of_one, of_other) : one.context < other.context;
  });
}

template <typename Key>
void least_first(std::vector<ContextEntry>& entries, Key key) {
  sort_by(entries, key, std::ranges::less{});
}

template <typename Key>
void most_first(std::vector<ContextEntry>& entries, Key key) {
  sort_by(entries, key, std::ranges::greater{});
}

}  // namespace

void sort_contexts(std::vector<ContextEntry>& entries, ContextOrder order, UserNames& users) {
  switch (order) {
    case ContextOrder::Context:
      return least_first(entries, &ContextEntry::context);
    case ContextOrder::User:
      return least_first(entries,
                         [&users](const ContextEntry& entry) { return users.of(entry.uid); });
    case ContextOrder::Pid:
      return least_first(entries, &ContextEntry::pid);
    case ContextOrder::Program:
      return least_first(entries, &ContextEntry::program);
    case ContextOrder::Priority:
      return most_first(entries, &ContextEntry::priority);
    case ContextOrder::Queued:
      return most_first(entries, &ContextEntry::queued);
    case ContextOrder::Bytes:
      return most_first(entries, &ContextEntry::queued_bytes);
    case ContextOrder::Submitted:
      return most_first(entries, &ContextEntry::submitted);
    case ContextOrder::Running:
      return most_first(entries, [](const ContextEntry& entry) {
        return entry.running == 0 ? std::uint64_t{0} : entry.running_us + 1;
      });
  }
}

}  // namespace tbs::ctl
