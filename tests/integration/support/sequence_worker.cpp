#include "tests/integration/support/sequence_worker.h"

#include <array>
#include <utility>

#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {

using proto::Buffer;
using proto::Status;

SequenceWorker::SequenceWorker(RawClient client, std::uint8_t number, const std::atomic<bool>& stop)
    : client_(std::move(client)), data_(16, number) {
  expected_ = tpm::sized_bytes(client_.response(tpm::hash(data_)));
  thread_ = std::jthread([this, &stop] {
    while (!stop) round();
  });
}

// Nothing when the TPM refuses.
std::optional<Buffer> SequenceWorker::run(const Buffer& command) {
  const Answer answer = client_.call(command);
  if (answer.status != Status::Success) {
    ++no_response;
    return std::nullopt;
  }
  if (tpm::code(answer.response) == tpm::kSuccess) return answer.response;
  ++refused;
  return std::nullopt;
}

void SequenceWorker::round() {
  std::array<std::uint32_t, 2> sequences{};
  for (std::uint32_t& sequence : sequences) {
    if (const auto started = run(tpm::hash_sequence_start())) sequence = tpm::handle(*started);
  }
  for (const std::uint32_t sequence : sequences) {
    if (sequence == 0 || !run(tpm::sequence_update(sequence, data_))) continue;
    const auto done = run(tpm::sequence_complete(sequence));
    if (!done) continue;
    ++(tpm::sequence_result(*done) == expected_ ? good : wrong);
  }
}

}  // namespace tbs::test
