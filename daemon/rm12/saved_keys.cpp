#include "daemon/rm12/saved_keys.h"

#include <algorithm>

namespace tbs::rm12 {
void SavedKeys::remember(const Resource& key, proto::Bytes blob) {
  if (entries_.size() == kMostEntries) entries_.pop_front();
  entries_.push_back({.context = key.owner,
                      .blob = tpm12::fingerprint(blob),
                      .handle = key.handle,
                      .identity = key.identity});
}

std::optional<SavedKeys::Entry> SavedKeys::find(proto::Bytes blob) const {
  const auto found =
      std::ranges::find(entries_.rbegin(), entries_.rend(), tpm12::fingerprint(blob), &Entry::blob);
  if (found == entries_.rend()) return std::nullopt;
  return *found;
}

void SavedKeys::forget(ContextId context) {
  std::erase_if(entries_, [context](const Entry& entry) { return entry.context == context; });
}

}  // namespace tbs::rm12
