#include "daemon/rm/capability_cache.h"

#include <algorithm>

#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

bool same(const tpm::CapabilityQuery& one, const tpm::CapabilityQuery& other) {
  return one.capability == other.capability && one.property == other.property &&
         one.count == other.count;
}

}  // namespace

bool CapabilityCache::cacheable(const tpm::CapabilityQuery& query) {
  switch (query.capability) {
    case tpm::cap::kAlgorithms:
    case tpm::cap::kCommands:
    case tpm::cap::kEccCurves:
      return true;
    case tpm::cap::kProperties:
      return query.property < tpm::pt::kVariable;
    default:
      return false;
  }
}

void CapabilityCache::put(const tpm::CapabilityQuery& query, proto::Bytes response) {
  if (find(query) != nullptr) return;
  if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
  entries_.push_back({query, {response.begin(), response.end()}});
}

const proto::Buffer* CapabilityCache::find(const tpm::CapabilityQuery& query) const {
  const auto entry = std::ranges::find_if(
      entries_, [&query](const Entry& known) { return same(known.query, query); });
  return entry == entries_.end() ? nullptr : &entry->response;
}

}  // namespace tbs::rm
