#pragma once

// Asks the TPM which objects and sessions it holds: a series of TPM2_GetCapability commands, told
// one by one.

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/exec/handles.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {

class HandleLists {
 public:
  // The next command; empty when all lists are complete.
  [[nodiscard]] std::optional<proto::Buffer> next() const;
  // Takes the response to it. False when it is no list of handles.
  bool take(proto::Bytes response);

  std::vector<exec::PhysicalHandle> objects;
  std::vector<exec::PhysicalHandle> loaded_sessions;
  std::vector<exec::PhysicalHandle> saved_sessions;

 private:
  [[nodiscard]] std::vector<exec::PhysicalHandle>& current();

  std::uint32_t property_ = tpm::kTransientFirst;
  unsigned list_ = 0;
};

}  // namespace tbs::rm
