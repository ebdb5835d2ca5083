#pragma once

// Whole lists about contexts, asked for page by page.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/tbsctl/connection/conversation.h"

namespace tbs::ctl {

// More contexts than any tbsd lets in at a time.
inline constexpr std::size_t kMostContexts = 1U << 20;

// The first page with the entries of all, in ascending order of context. A daemon whose pages do
// not advance is a failure, not a loop. Without a deadline it takes no longer than one answer may,
// however many pages there are. `what`: "cannot WHAT".
template <typename Request>
std::expected<proto::ReplyTo<Request>, Failure> all_pages(Conversation& daemon,
                                                          std::string_view what,
                                                          client::Deadline deadline = {}) {
  if (!deadline) deadline = Conversation::deadline_for(Patience::Answer);
  const auto broken = [](std::string message) {
    return std::unexpected(Failure{.exit = Exit::Failed, .message = std::move(message)});
  };
  proto::ReplyTo<Request> all;
  std::uint64_t after = 0;
  while (true) {
    auto page = daemon.ask(Request{.after = after}, deadline);
    if (!page) return std::unexpected(std::move(page.error()));
    if (page->status != proto::Status::Success) {
      return std::unexpected(tbs_failure("cannot " + std::string(what), page->status));
    }
    const bool first = after == 0;
    for (const auto& entry : page->entries) {
      if (entry.context <= after) {
        return broken("tbsd lists contexts out of order; are tbsd and tbsctl of the same version?");
      }
      after = entry.context;
    }
    const bool more = page->more != 0 && !page->entries.empty();
    if (first) {
      all = *std::move(page);
    } else {
      std::ranges::move(page->entries, std::back_inserter(all.entries));
    }
    if (!more) return all;
    if (all.entries.size() > kMostContexts) return broken("tbsd lists contexts without end");
  }
}

// In ascending order of number.
std::expected<std::vector<proto::ContextEntry>, Failure> all_contexts(
    Conversation& daemon, client::Deadline deadline = {});

}  // namespace tbs::ctl
