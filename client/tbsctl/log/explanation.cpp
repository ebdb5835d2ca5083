#include "client/tbsctl/log/explanation.h"

#include <span>
#include <utility>

#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

using Steps = std::span<const ReplayStep>;

proto::Buffer extended(const ReplayedPcr& pcr, proto::Buffer value, Steps steps) {
  for (const ReplayStep& step : steps) {
    if (auto next = pcr_extend(pcr.algorithm, value, step.digest)) value = *std::move(next);
  }
  return value;
}

bool gives(const ReplayedPcr& pcr, std::size_t index, Cause cause, const proto::Buffer& wanted) {
  const Steps steps(pcr.steps);
  proto::Buffer value = index == 0 ? pcr.start : steps[index - 1].value;
  std::size_t next = index + 1;
  if (cause == Cause::Swapped) {
    if (next == steps.size()) return false;
    value = extended(pcr, std::move(value), steps.subspan(next, 1));
    ++next;
  }
  if (cause == Cause::Twice) value = extended(pcr, std::move(value), steps.subspan(index, 1));
  if (cause != Cause::LeftOut) value = extended(pcr, std::move(value), steps.subspan(index, 1));
  return extended(pcr, std::move(value), steps.subspan(next)) == wanted;
}

}  // namespace

std::optional<Unseen> find_prefix(const ReplayedPcr& pcr, const proto::Buffer& value) {
  const proto::Buffer* before = &pcr.start;
  std::optional<std::size_t> last_seen;
  for (const ReplayStep& step : pcr.steps) {
    if (*before == value) return Unseen{.first_unseen = step.event, .last_seen = last_seen};
    before = &step.value;
    last_seen = step.event;
  }
  return std::nullopt;
}

std::optional<Deviation> find_deviation(const ReplayedPcr& pcr, const proto::Buffer& value,
                                        std::size_t& work) {
  const std::size_t needed = 2 * pcr.steps.size() * (pcr.steps.size() + 1);
  if (needed > work) return std::nullopt;
  work -= needed;
  for (const Cause cause : {Cause::LeftOut, Cause::Twice, Cause::Swapped}) {
    for (std::size_t index = 0; index < pcr.steps.size(); ++index) {
      if (gives(pcr, index, cause, value)) {
        return Deviation{.cause = cause, .record = pcr.steps[index].event};
      }
    }
  }
  return std::nullopt;
}

}  // namespace tbs::ctl
