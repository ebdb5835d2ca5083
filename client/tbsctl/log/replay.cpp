#include "client/tbsctl/log/replay.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

// The locality at which the TPM was started, by the log's event about it; 0 when there is none.
std::uint8_t startup_locality(const EventLog& log) {
  constexpr std::string_view kSignature{"StartupLocality\0", 16};
  for (const Event& event : log.events) {
    if (event.type != kEvNoAction || event.data.size() != kSignature.size() + 1) continue;
    const auto head = event.data.first(kSignature.size());
    if (std::string_view(reinterpret_cast<const char*>(head.data()), head.size()) == kSignature) {
      return event.data.back();
    }
  }
  return 0;
}

ReplayedPcr& place_for(std::vector<ReplayedPcr>& pcrs, const EventDigest& digest, std::uint32_t pcr,
                       std::uint8_t locality) {
  const auto found = std::ranges::find_if(pcrs, [&](const ReplayedPcr& each) {
    return each.algorithm == digest.algorithm && each.pcr == pcr;
  });
  if (found != pcrs.end()) return *found;
  return pcrs.emplace_back(ReplayedPcr{.algorithm = digest.algorithm,
                                       .pcr = pcr,
                                       .start = pcr_start(pcr, digest.value.size(), locality),
                                       .steps = {}});
}

Comparison compare_one(const ReplayedPcr& replayed, const std::vector<PcrValue>& measured) {
  const auto found = std::ranges::find_if(measured, [&](const PcrValue& each) {
    return each.algorithm == replayed.algorithm && each.pcr == replayed.pcr;
  });
  if (found == measured.end()) return {.replayed = &replayed};
  Comparison comparison{
      .replayed = &replayed, .measured = &*found, .agreement = Agreement::Differs};
  if (found->value == replayed.value()) comparison.agreement = Agreement::Equal;
  const proto::Buffer* before = &replayed.start;
  for (const ReplayStep& step : replayed.steps) {
    if (comparison.agreement == Agreement::Differs && *before == found->value) {
      comparison.agreement = Agreement::Earlier;
      comparison.first_unseen = step.event;
    }
    before = &step.value;
  }
  return comparison;
}

}  // namespace

std::vector<ReplayedPcr> replay(const EventLog& log) {
  std::vector<ReplayedPcr> pcrs;
  const std::uint8_t locality = startup_locality(log);
  for (std::size_t index = 0; index < log.events.size(); ++index) {
    const Event& event = log.events[index];
    if (event.type == kEvNoAction || event.pcr >= kPcrCount) continue;
    for (const EventDigest& digest : event.digests) {
      ReplayedPcr& pcr = place_for(pcrs, digest, event.pcr, locality);
      const proto::Buffer& value = pcr.steps.empty() ? pcr.start : pcr.value();
      auto extended = pcr_extend(digest.algorithm, value, digest.value);
      if (extended) pcr.steps.push_back({.event = index, .value = *std::move(extended)});
    }
  }
  std::erase_if(pcrs, [](const ReplayedPcr& pcr) { return pcr.steps.empty(); });
  std::ranges::sort(pcrs, [](const ReplayedPcr& a, const ReplayedPcr& b) {
    return std::pair(a.algorithm, a.pcr) < std::pair(b.algorithm, b.pcr);
  });
  return pcrs;
}

std::vector<Comparison> compare(const std::vector<ReplayedPcr>& replayed,
                                const std::vector<PcrValue>& measured) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(replayed.size());
  for (const ReplayedPcr& pcr : replayed) comparisons.push_back(compare_one(pcr, measured));
  return comparisons;
}

}  // namespace tbs::ctl
