#include "client/tbsctl/contexts/context_pages.h"

#include <iterator>

namespace tbs::ctl {
namespace {

// More than any tbsd lets in at a time.
constexpr std::size_t kMostContexts = 1U << 20;

}  // namespace

std::expected<std::vector<proto::ContextEntry>, Failure> all_contexts(Conversation& daemon) {
  std::vector<proto::ContextEntry> all;
  // However many pages there are, they take no longer than one answer may.
  const auto deadline = Conversation::deadline_for(Patience::Answer);
  std::uint64_t after = 0;
  while (true) {
    auto page = daemon.ask(proto::ListContexts{.after = after}, deadline);
    if (!page) return std::unexpected(page.error());
    if (page->status != proto::Status::Success) {
      return std::unexpected(tbs_failure("cannot list the contexts", page->status));
    }
    for (const proto::ContextEntry& entry : page->entries) {
      if (entry.context <= after) {
        return std::unexpected(Failure{.exit = Exit::Failed,
                                       .message = "tbsd lists contexts out of order; are tbsd and "
                                                  "tbsctl of the same version?"});
      }
      after = entry.context;
    }
    const bool more = page->more != 0 && !page->entries.empty();
    all.insert(all.end(), std::make_move_iterator(page->entries.begin()),
               std::make_move_iterator(page->entries.end()));
    if (!more) return all;
    if (all.size() > kMostContexts) {
      return std::unexpected(
          Failure{.exit = Exit::Failed, .message = "tbsd lists contexts without end"});
    }
  }
}

}  // namespace tbs::ctl
