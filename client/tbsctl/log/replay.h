#pragma once

// What the PCRs hold by the event log, step by step, and how that compares with a TPM's.

#include <cstdint>
#include <optional>
#include <vector>

#include "client/tbsctl/log/event_log.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// One PCR of one bank.
struct PcrValue {
  std::uint16_t algorithm = 0;
  std::uint32_t pcr = 0;
  proto::Buffer value;
};

// What a PCR held after an event.
struct ReplayStep {
  std::size_t event = 0;  // index in the log
  proto::Buffer value;
};

struct ReplayedPcr {
  std::uint16_t algorithm = 0;
  std::uint32_t pcr = 0;
  proto::Buffer start;
  std::vector<ReplayStep> steps;  // at least one
  // The same events from other values that the PCR can have had at the start, where the log does
  // not say which one it was.
  std::vector<ReplayedPcr> alternatives;

  [[nodiscard]] const proto::Buffer& value() const { return steps.back().value; }
};

// The PCRs that the log extends, in order of bank and number; banks whose algorithm is not known
// are left out.
std::vector<ReplayedPcr> replay(const EventLog& log);

enum class Agreement : std::uint8_t {
  Equal,
  Earlier,  // the TPM holds what the log gives before its last events for this PCR
  Differs,
  Absent,  // the TPM has not got this PCR
};

struct Comparison {
  const ReplayedPcr* replayed = nullptr;  // the alternative that fits, if one does
  const PcrValue* measured = nullptr;     // of the TPM; null when Absent
  Agreement agreement = Agreement::Absent;
  // With Earlier: the first event of the log that the TPM has not seen.
  std::size_t first_unseen = 0;
};

// One for each replayed PCR. Points into both.
std::vector<Comparison> compare(const std::vector<ReplayedPcr>& replayed,
                                const std::vector<PcrValue>& measured);

}  // namespace tbs::ctl
