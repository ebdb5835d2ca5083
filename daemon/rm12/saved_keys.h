#pragma once

// Remembers the key contexts that clients have saved lately: under which handle, and which key pair
// it was. A client that loads one again with keepHandle gets its own handle back.

#include <cstdint>
#include <deque>
#include <optional>

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
  };

  void remember(const Resource& key, proto::Bytes blob);
  // The handle is meaningful in the context that saved it.
  [[nodiscard]] std::optional<Entry> find(proto::Bytes blob) const;
  void forget(ContextId context);

 private:
  std::deque<Entry> entries_;
};

}  // namespace tbs::rm12
