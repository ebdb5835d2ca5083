#pragma once

// What the PCRs hold by the logs, step by step, and how that compares with a TPM's.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/later_log.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// One PCR of one bank; or an NvPCR, whose number is that of its NV index.
struct PcrValue {
  std::uint16_t algorithm = 0;
  std::uint32_t pcr = 0;
  proto::Buffer value;
};

// What a PCR held after a record, and what was extended for it.
struct ReplayStep {
  std::size_t event = 0;  // number of the record: those of the later logs follow the firmware's
  proto::Buffer value;
  proto::Buffer digest;
};

struct ReplayedPcr {
  std::uint16_t algorithm = 0;
  std::uint32_t pcr = 0;
  proto::Buffer start;
  std::vector<ReplayStep> steps;  // at least one
  // The same records from other values that the PCR can have had at the start, or as an older
  // kernel extended them, where the log does not say which one it was.
  std::vector<ReplayedPcr> alternatives;

  [[nodiscard]] const proto::Buffer& value() const { return steps.back().value; }
};

// The PCRs that the logs extend, in order of bank and number; banks whose algorithm is not known
// are left out.
std::vector<ReplayedPcr> replay(const EventLog& log, std::span<const LaterRecord> later = {});

enum class Agreement : std::uint8_t {
  Equal,
  Earlier,  // the TPM holds what the log gives before its last events for this PCR
  Differs,
  Absent,  // the TPM has not got this PCR
};

// How a TPM could have come to a value that no part of the log gives.
enum class Cause : std::uint8_t {
  Unknown,
  LeftOut,  // a record was not measured
  Twice,    // a record was measured twice
  Swapped,  // a record and the next one were measured the other way round
};

struct Comparison {
  const ReplayedPcr* replayed = nullptr;  // the alternative that fits, if one does
  const PcrValue* measured = nullptr;     // of the TPM; null when Absent
  Agreement agreement = Agreement::Absent;
  // With Earlier: the first record that the TPM has not seen, and the last that it has, if any.
  std::size_t first_unseen = 0;
  std::optional<std::size_t> last_seen = std::nullopt;
  // With Differs, and the record that it is about; unless it is unknown.
  Cause cause = Cause::Unknown;
  std::size_t cause_record = 0;
};

// One for each replayed PCR. Points into both.
std::vector<Comparison> compare(const std::vector<ReplayedPcr>& replayed,
                                const std::vector<PcrValue>& measured);

}  // namespace tbs::ctl
