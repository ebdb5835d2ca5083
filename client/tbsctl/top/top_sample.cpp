#include "client/tbsctl/top/top_sample.h"

#include <algorithm>
#include <utility>

#include "client/tbsctl/contexts/context_pages.h"

namespace tbs::ctl {
std::expected<TopSample, Failure> ask_top(Conversation& daemon, client::Deadline deadline) {
  auto status = daemon.ask(proto::DaemonStatus{}, deadline);
  if (!status) return std::unexpected(std::move(status.error()));
  if (status->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot get the status", status->status));
  }
  auto activity = all_pages<proto::ListActivity>(daemon, "ask what the TPM does", deadline);
  if (!activity) return std::unexpected(std::move(activity.error()));
  const auto time = client::Clock::now();
  auto entries = all_contexts(daemon, deadline);
  if (!entries) return std::unexpected(std::move(entries.error()));
  TopSample sample{
      .time = time, .status = *std::move(status), .tpm = *std::move(activity), .contexts = {}};
  auto known = std::exchange(sample.tpm.entries, {});
  for (proto::ContextEntry& entry : *entries) {
    // One that has come meanwhile has no activity yet.
    proto::ActivityEntry of_it{.context = entry.context};
    const auto found =
        std::ranges::lower_bound(known, entry.context, {}, &proto::ActivityEntry::context);
    if (found != known.end() && found->context == entry.context) of_it = std::move(*found);
    sample.contexts.push_back({.entry = std::move(entry), .activity = std::move(of_it)});
  }
  return sample;
}

const TopContext* find_context(const TopSample& sample, std::uint64_t context) {
  const auto number = [](const TopContext& each) { return each.entry.context; };
  const auto found = std::ranges::lower_bound(sample.contexts, context, {}, number);
  return found != sample.contexts.end() && number(*found) == context ? &*found : nullptr;
}

}  // namespace tbs::ctl
