#pragma once

// Remembers the key contexts that clients have saved lately: under which handle, and which key pair
// it was. A client that loads one again with keepHandle gets its own handle back.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/rm12/resource.h"
#include "proto/byte_reader.h"

namespace tbs::rm12 {

class SavedKeys {
 public:
  struct Entry {
    ContextId context{};
    std::uint64_t blob = 0;  // its fingerprint
    exec::VirtualHandle handle{};
    tpm12::KeyIdentity identity = tpm12::kUnknownKey;

    template <typename Record>
    void fields(Record& record) {
      record(context, blob, handle, identity);
    }
  };

  void remember(const Resource& key, proto::Bytes blob);
  // The handle is meaningful in the context that saved it.
  [[nodiscard]] std::optional<Entry> find(proto::Bytes blob) const;
  void forget(ContextId context);

  template <typename Record>
  void fields(Record& record) {
    std::vector<Entry> list(entries_.begin(), entries_.end());
    record(list);
    if constexpr (Record::kReads) {
      record.require(list.size() <= kMostEntries, "there are too many saved keys");
      entries_.assign(list.begin(), list.end());
    }
  }

 private:
  static constexpr std::size_t kMostEntries = 1024;

  std::deque<Entry> entries_;
};

}  // namespace tbs::rm12
