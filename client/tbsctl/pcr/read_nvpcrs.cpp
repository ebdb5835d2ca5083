#include "client/tbsctl/pcr/read_nvpcrs.h"

#include <optional>
#include <utility>

#include "client/tbsctl/text/priority.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using proto::Buffer;
using proto::Bytes;
using Parameters = std::expected<std::optional<Buffer>, Failure>;

// What follows the header of a response that says success; nothing for any other.
Parameters parameters_of(Conversation& daemon, const Buffer& command) {
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) return std::nullopt;
  const auto header = proto::read_tpm_header(result->response);
  if (!header || header->code != 0) return std::nullopt;
  const Bytes rest = result->response.subspan(proto::kTpmHeaderSize);
  return Buffer(rest.begin(), rest.end());
}

bool is_extended(const TPMS_NV_PUBLIC& index) {
  return (index.attributes & TPMA_NV_TPM2_NT_MASK) >> TPMA_NV_TPM2_NT_SHIFT == TPM2_NT_EXTEND;
}

// The content of an index; before it was written to for the first time, zeros.
Parameters content_of(Conversation& daemon, const TPMS_NV_PUBLIC& index) {
  if ((index.attributes & TPMA_NV_WRITTEN) == 0) return Buffer(index.dataSize);
  auto answer = parameters_of(daemon, tpm::build::nv_read(index.nvIndex, index.dataSize));
  if (!answer || !*answer) return answer;
  proto::ByteReader reader(**answer);
  reader.be32();  // size of the parameters
  const Bytes content = reader.take(reader.be16());
  if (!reader.ok() || content.size() != index.dataSize) return std::nullopt;
  return Buffer(content.begin(), content.end());
}

}  // namespace

std::expected<std::vector<PcrValue>, Failure> read_nvpcrs(Conversation& daemon,
                                                          const std::set<std::uint32_t>& numbers) {
  std::vector<PcrValue> values;
  for (const std::uint32_t number : numbers) {
    const auto known = parameters_of(daemon, tpm::build::nv_read_public(number));
    if (!known) return std::unexpected(known.error());
    if (!*known) continue;
    const auto index = tpm::unmarshal<TPM2B_NV_PUBLIC>(**known);
    if (!index || index->nvPublic.nvIndex != number || !is_extended(index->nvPublic)) continue;
    auto content = content_of(daemon, index->nvPublic);
    if (!content) return std::unexpected(content.error());
    if (*content) values.push_back({index->nvPublic.nameAlg, number, **std::move(content)});
  }
  return values;
}

}  // namespace tbs::ctl
