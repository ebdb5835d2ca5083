#pragma once

// The counters of a TPM 2.0 that outlive its power: NV indices with TPM_NT_COUNTER.

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::sim {

class ModelNv {
 public:
  // The response code; the value is that of an index that was read.
  struct Answer {
    std::uint32_t code = 0;
    std::uint64_t value = 0;
  };

  [[nodiscard]] static bool has(std::uint32_t code);
  // `index`: the second handle. A definition has it among the parameters.
  Answer run(std::uint32_t code, std::uint32_t index, proto::Bytes parameters);
  [[nodiscard]] std::vector<std::uint32_t> indices() const;
  [[nodiscard]] std::size_t size() const { return counters_.size(); }

 private:
  Answer define(proto::Bytes parameters);

  std::map<std::uint32_t, std::uint64_t> counters_;
};

}  // namespace tbs::sim
