#include "client/tbsctl/contexts/context_pages.h"

namespace tbs::ctl {

std::expected<std::vector<proto::ContextEntry>, Failure> all_contexts(Conversation& daemon,
                                                                      client::Deadline deadline) {
  auto list = all_pages<proto::ListContexts>(daemon, "list the contexts", deadline);
  if (!list) return std::unexpected(std::move(list.error()));
  return std::move(list->entries);
}

}  // namespace tbs::ctl
