#include "client/tbsctl/log/replay.h"

#include <algorithm>
#include <map>
#include <utility>

#include "client/tbsctl/log/explanation.h"
#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

// Localities that leave their number in PCR 0 (TPM 2.0 Library Part 3, "TPM2_Startup").
constexpr std::uint8_t kUsualLocality = 0;
constexpr std::uint8_t kTxtLocality = 3;
constexpr std::uint8_t kHcrtmLocality = 4;

// Bank, and number of the PCR or of the NV index: those are far apart.
using Register = std::pair<std::uint16_t, std::uint32_t>;
// That a log may name for one NvPCR.
constexpr std::size_t kMostStarts = 4;

// What the events of the log say of how the TPM was started.
struct Startup {
  std::optional<std::uint8_t> locality;  // of TPM2_Startup
  bool hcrtm = false;                    // an H-CRTM measured before that
};

Startup read_startup(const EventLog& log) {
  Startup startup;
  for (const Event& event : log.events) {
    if (!startup.locality) startup.locality = startup_locality(event);
    if (event.type == kEvEfiHcrtmEvent && event.pcr == 0) startup.hcrtm = true;
  }
  return startup;
}

// The last byte of PCR 0 at the start; the likeliest first. An H-CRTM event alone says that it was
// 4: the log need not have an event of the startup's locality then.
std::vector<std::uint8_t> pcr0_starts(const Startup& startup) {
  if (startup.hcrtm) {
    const std::uint8_t locality = startup.locality.value_or(kHcrtmLocality);
    if (locality == kHcrtmLocality) return {kHcrtmLocality};
    return {kHcrtmLocality, locality};
  }
  if (startup.locality) return {*startup.locality};
  return {kUsualLocality, kTxtLocality, kHcrtmLocality};
}

// TCG PC Client Platform TPM Profile, "PCR Attributes": a dynamic launch sets its registers to zero
// before it extends them; until then they hold ones. All others start with zeros.
// An NvPCR starts with zeros, or with what systemd says that it has put there.
std::vector<proto::Buffer> starts_of(const Register& which, std::size_t size,
                                     const std::vector<std::uint8_t>& pcr0,
                                     std::span<const LaterRecord> later) {
  const std::uint32_t pcr = which.second;
  std::vector<proto::Buffer> starts{proto::Buffer(size)};
  if (is_dynamic_launch_pcr(pcr)) starts.emplace_back(size, std::uint8_t{0xFF});
  if (pcr >= kPcrCount) {
    for (const LaterRecord& record : later) {
      const auto& said = record.nv_start;
      if (!said || said->number != pcr || said->algorithm != which.first) continue;
      starts.insert(starts.begin(), said->value);
      if (starts.size() > kMostStarts) starts.pop_back();
    }
    return starts;
  }
  if (pcr != 0 || size == 0) return starts;
  starts.clear();
  for (const std::uint8_t last : pcr0) starts.emplace_back(size).back() = last;
  return starts;
}

struct Measurement {
  std::size_t event = 0;
  proto::Bytes digest;
  proto::Bytes old_digest;  // as an older kernel extended it; empty where that is the same
};
using Measurements = std::map<Register, std::vector<Measurement>>;

void add_later(Measurements& measurements, std::size_t index, const LaterRecord& record) {
  const auto number = record.pcr ? record.pcr : record.nv_number;
  if (!number || (record.pcr && *number >= kPcrCount)) return;
  for (const LaterDigest& digest : record.digests) {
    measurements[{digest.algorithm, *number}].push_back({index, digest.value, digest.old_value});
  }
}

Measurements measurements_of(const EventLog& log, std::span<const LaterRecord> later) {
  Measurements measurements;
  for (std::size_t index = 0; index < log.events.size(); ++index) {
    const Event& event = log.events[index];
    if (event.type == kEvNoAction || event.pcr >= kPcrCount) continue;
    for (const EventDigest& digest : event.digests) {
      measurements[{digest.algorithm, event.pcr}].push_back({index, digest.value, {}});
    }
  }
  for (std::size_t index = 0; index < later.size(); ++index) {
    add_later(measurements, log.events.size() + index, later[index]);
  }
  return measurements;
}

ReplayedPcr replay_from(proto::Buffer start, const Register& which,
                        const std::vector<Measurement>& measurements, bool old_kernel) {
  ReplayedPcr pcr{.algorithm = which.first,
                  .pcr = which.second,
                  .start = std::move(start),
                  .steps = {},
                  .alternatives = {}};
  for (const Measurement& measurement : measurements) {
    const proto::Buffer& value = pcr.steps.empty() ? pcr.start : pcr.value();
    const bool old = old_kernel && !measurement.old_digest.empty();
    const proto::Bytes digest = old ? measurement.old_digest : measurement.digest;
    auto extended = pcr_extend(pcr.algorithm, value, digest);
    if (!extended) continue;
    pcr.steps.push_back({measurement.event, *std::move(extended), {digest.begin(), digest.end()}});
  }
  return pcr;
}

// The likeliest one first.
std::vector<ReplayedPcr> chains_of(const Register& which,
                                   const std::vector<Measurement>& measurements,
                                   const std::vector<std::uint8_t>& pcr0,
                                   std::span<const LaterRecord> later) {
  std::vector<ReplayedPcr> chains;
  const bool old = std::ranges::any_of(
      measurements, [](const Measurement& each) { return !each.old_digest.empty(); });
  for (const bool old_kernel : {false, true}) {
    if (old_kernel && !old) break;
    for (proto::Buffer& start : starts_of(which, measurements.front().digest.size(), pcr0, later)) {
      chains.push_back(replay_from(std::move(start), which, measurements, old_kernel));
    }
  }
  return chains;
}

// About a second for all that differ, however a log was made; a PCR of firmware's has a hundred
// records.
constexpr std::size_t kMostDigestsTried = 1'000'000;

Comparison compare_one(const ReplayedPcr& replayed, const std::vector<PcrValue>& measured,
                       std::size_t& work) {
  const auto found = std::ranges::find_if(measured, [&](const PcrValue& each) {
    return each.algorithm == replayed.algorithm && each.pcr == replayed.pcr;
  });
  if (found == measured.end()) return {.replayed = &replayed};
  std::vector<const ReplayedPcr*> candidates{&replayed};
  for (const ReplayedPcr& other : replayed.alternatives) candidates.push_back(&other);
  for (const ReplayedPcr* const each : candidates) {
    if (each->value() == found->value) return {each, &*found, Agreement::Equal};
  }
  for (const ReplayedPcr* const each : candidates) {
    if (const auto unseen = find_prefix(*each, found->value)) {
      return {each, &*found, Agreement::Earlier, unseen->first_unseen, unseen->last_seen};
    }
  }
  Comparison differing{&replayed, &*found, Agreement::Differs};
  for (const ReplayedPcr* const each : candidates) {
    if (const auto deviation = find_deviation(*each, found->value, work)) {
      differing.replayed = each;
      differing.cause = deviation->cause;
      differing.cause_record = deviation->record;
      break;
    }
  }
  return differing;
}

}  // namespace

std::vector<ReplayedPcr> replay(const EventLog& log, std::span<const LaterRecord> later) {
  const auto pcr0 = pcr0_starts(read_startup(log));
  std::vector<ReplayedPcr> pcrs;
  for (const auto& [which, measurements] : measurements_of(log, later)) {
    std::vector<ReplayedPcr> chains = chains_of(which, measurements, pcr0, later);
    ReplayedPcr likeliest = std::move(chains.front());
    if (likeliest.steps.empty()) continue;
    likeliest.alternatives.assign(std::make_move_iterator(chains.begin() + 1),
                                  std::make_move_iterator(chains.end()));
    pcrs.push_back(std::move(likeliest));
  }
  return pcrs;
}

std::vector<Comparison> compare(const std::vector<ReplayedPcr>& replayed,
                                const std::vector<PcrValue>& measured) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(replayed.size());
  std::size_t work = kMostDigestsTried;
  for (const ReplayedPcr& pcr : replayed) comparisons.push_back(compare_one(pcr, measured, work));
  return comparisons;
}

}  // namespace tbs::ctl
