#pragma once

// Responses of TPM2_GetCapability that cannot change while the TPM runs (fixed properties,
// algorithms, commands, curves), by the exact query. Forgotten on everything that might change
// them after all: a reset, a firmware upgrade, another algorithm set, vendor commands.

#include <cstdint>
#include <vector>

#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

class CapabilityCache {
 public:
  // Whether responses about this may be remembered; the response must then still be looked at,
  // because a list of fixed properties may run on into those that vary.
  static bool cacheable(const tpm::CapabilityQuery& query);

  void put(const tpm::CapabilityQuery& query, proto::Bytes response);
  // Null when it is not known.
  [[nodiscard]] const proto::Buffer* find(const tpm::CapabilityQuery& query) const;
  void clear() { entries_.clear(); }

  template <typename Record>
  void fields(Record& record) {
    record(entries_);
    if constexpr (Record::kReads) {
      record.require(entries_.size() <= kMaxEntries, "there are too many capabilities");
    }
  }

 private:
  // Enough for every query that the usual tools make, and a bound on memory (1 KiB each).
  static constexpr std::size_t kMaxEntries = 64;

  struct Entry {
    tpm::CapabilityQuery query;
    proto::Buffer response;

    template <typename Record>
    void fields(Record& record) {
      record(query.capability, query.property, query.count, response);
    }
  };

  std::vector<Entry> entries_;  // the oldest first
};

}  // namespace tbs::rm
