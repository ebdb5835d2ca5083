#include "tests/sim/tpm/model_nv.h"

#include <ranges>

#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"

namespace tbs::sim {
namespace {

namespace cc = tpm::cc;
namespace rc = tpm::rc;

}  // namespace

bool ModelNv::has(std::uint32_t code) {
  return code == cc::kNvDefineSpace || code == cc::kUndefineSpace || code == cc::kNvIncrement ||
         code == cc::kNvRead;
}

ModelNv::Answer ModelNv::run(std::uint32_t code, std::uint32_t index, proto::Bytes parameters) {
  if (code == cc::kNvDefineSpace) return define(parameters);
  const auto counter = counters_.find(index);
  if (counter == counters_.end()) return {.code = tpm::at_handle(rc::kHandle, 2)};
  switch (code) {
    case cc::kUndefineSpace:
      counters_.erase(counter);
      return {};
    case cc::kNvIncrement:
      ++counter->second;
      return {};
    default:
      if (counter->second == 0) return {.code = TPM2_RC_NV_UNINITIALIZED};
      return {.value = counter->second};
  }
}

ModelNv::Answer ModelNv::define(proto::Bytes parameters) {
  proto::ByteReader reader(parameters);
  reader.skip(reader.be16());  // the authorization value
  reader.skip(2);
  const std::uint32_t index = reader.be32();
  if (!reader.ok()) return {.code = tpm::at_parameter(rc::kSize, 2)};
  if (!counters_.try_emplace(index).second) return {.code = TPM2_RC_NV_DEFINED};
  return {};
}

std::vector<std::uint32_t> ModelNv::indices() const {
  const auto keys = std::views::keys(counters_);
  return {keys.begin(), keys.end()};
}

}  // namespace tbs::sim
