#include "client/tbsctl/top/top_rows.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "client/tbsctl/contexts/context_text.h"
#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

using proto::TpmWork;
using proto::WaitReason;

constexpr std::string_view kNoUnit = "none";

// What was counted since; a context that was not there before has counted from nothing.
std::uint64_t counted_since(std::uint64_t now, std::uint64_t before) {
  return now >= before ? now - before : now;
}

double microseconds_between(const TopSample& before, const TopSample& sample) {
  return std::chrono::duration<double, std::micro>(sample.time - before.time).count();
}

TopRow row_of(const TopSample& sample, const TopSample* before, const TopContext& context,
              UserNames& users) {
  const proto::ContextEntry& entry = context.entry;
  TopRow row{.name = std::to_string(entry.context),
             .context = entry.context,
             .user = users.of(entry.uid),
             .unit = context.activity.unit.empty() ? std::string(kNoUnit)
                                                   : printable(context.activity.unit),
             .program = printable(entry.program),
             .share = {},
             .rate = {},
             .tpm_us = context.activity.tpm_us,
             .submitted = entry.submitted,
             .queued = entry.queued,
             .bytes = entry.queued_bytes,
             .waiting_us = context.activity.waiting_us,
             .now = activity_text(entry)};
  if (entry.running == 0 && entry.queued > 0) row.now = wait_text(sample, context);
  const double time = before == nullptr ? 0 : microseconds_between(*before, sample);
  if (time <= 0) return row;
  const TopContext* const earlier = find_context(*before, entry.context);
  const auto worked = counted_since(row.tpm_us, earlier == nullptr ? 0 : earlier->activity.tpm_us);
  const auto sent = counted_since(row.submitted, earlier == nullptr ? 0 : earlier->entry.submitted);
  row.share = std::min(static_cast<double>(worked) / time, 1.0);
  row.rate = static_cast<double>(sent) * 1e6 / time;
  return row;
}

void add_up(std::optional<double>& sum, const std::optional<double>& one) {
  if (one) sum = sum.value_or(0) + *one;
}

// Into the row of its user or unit.
void add_to(TopRow& sum, const TopRow& one) {
  ++sum.contexts;
  add_up(sum.share, one.share);
  add_up(sum.rate, one.rate);
  sum.tpm_us += one.tpm_us;
  sum.submitted += one.submitted;
  sum.queued += one.queued;
  sum.bytes += one.bytes;
  sum.waiting_us = std::max(sum.waiting_us, one.waiting_us);
}

const std::string& name_in(TopGroup group, const TopRow& row) {
  switch (group) {
    case TopGroup::User:
      return row.user;
    case TopGroup::Unit:
      return row.unit;
    case TopGroup::Context:
      break;
  }
  return row.name;
}

std::vector<TopRow> grouped(const std::vector<TopRow>& rows, TopGroup group) {
  std::map<std::string, TopRow> sums;
  for (const TopRow& row : rows) {
    TopRow& sum = sums.try_emplace(name_in(group, row), TopRow{.contexts = 0}).first->second;
    add_to(sum, row);
  }
  std::vector<TopRow> list;
  for (auto& [name, sum] : sums) {
    sum.name = name;
    sum.now = std::to_string(sum.contexts) + (sum.contexts == 1 ? " context" : " contexts");
    if (sum.waiting_us > 0) sum.now += ", one waits for " + duration(sum.waiting_us);
    list.push_back(std::move(sum));
  }
  return list;
}

// Who or what has the TPM.
std::string holder_text(const TopSample& sample) {
  const proto::ActivityList& tpm = sample.tpm;
  switch (tpm.work) {
    case TpmWork::Command:
      return find_context(sample, tpm.context) == nullptr
                 ? "a closed context's command has the TPM"
                 : "context " + std::to_string(tpm.context) + " has the TPM";
    case TpmWork::Own:
      return "work of tbsd's own comes first";
    case TpmWork::Starting:
      return "the TPM is being started";
    case TpmWork::Ending:
      return "tbsd stops";
    case TpmWork::Asleep:
      return "the machine goes to sleep";
    case TpmWork::None:
      break;
  }
  return sample.status.device_state == proto::DeviceState::Ready
             ? "its turn comes next"
             : "the TPM is " + std::string(device_state_text(sample.status.device_state));
}

std::string reason_text(const TopSample& sample, WaitReason reason) {
  if (reason == WaitReason::Priority) return "higher priorities go first";
  if (reason == WaitReason::HighShare) return "its user's share above normal is used up";
  return holder_text(sample);
}

double amount_of(const TopRow& row, TopOrder order) {
  switch (order) {
    case TopOrder::Time:
      return row.share.value_or(0);
    case TopOrder::Commands:
      return row.rate.value_or(0);
    case TopOrder::Waiting:
      return static_cast<double>(row.queued);
    case TopOrder::Memory:
      return static_cast<double>(row.bytes);
    case TopOrder::Name:
      break;
  }
  return 0;
}

// Of equal shares, and while there are none yet, by all there was.
std::uint64_t total_of(const TopRow& row, TopOrder order) {
  if (order == TopOrder::Time) return row.tpm_us;
  if (order == TopOrder::Commands) return row.submitted;
  return order == TopOrder::Waiting ? row.waiting_us : 0;
}

}  // namespace

std::string wait_text(const TopSample& sample, const TopContext& context) {
  if (context.entry.queued == 0) return {};
  const std::uint64_t time = context.activity.waiting_us;
  return "waits" + (time == 0 ? "" : " " + duration(time)) + ": " +
         reason_text(sample, context.activity.reason);
}

bool goes_on(const TopSample& before, const TopSample& sample) {
  return sample.status.uptime_us >= before.status.uptime_us &&
         sample.status.version == before.status.version;
}

std::vector<TopRow> top_rows(const TopSample& sample, const TopSample* before, TopGroup group,
                             const TopFilter& filter, UserNames& users) {
  std::vector<TopRow> rows;
  for (const TopContext& context : sample.contexts) {
    TopRow row = row_of(sample, before, context, users);
    const bool wanted =
        filter.group == TopGroup::Context || name_in(filter.group, row) == filter.name;
    if (wanted) rows.push_back(std::move(row));
  }
  return group == TopGroup::Context ? rows : grouped(rows, group);
}

void sort_rows(std::vector<TopRow>& rows, TopOrder order) {
  std::ranges::sort(rows, [order](const TopRow& one, const TopRow& other) {
    const auto key = [order](const TopRow& row) {
      return std::pair(amount_of(row, order), total_of(row, order));
    };
    if (key(one) != key(other)) return key(one) > key(other);
    return std::pair(one.context, std::string_view(one.name)) <
           std::pair(other.context, std::string_view(other.name));
  });
}

}  // namespace tbs::ctl
