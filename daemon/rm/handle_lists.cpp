#include "daemon/rm/handle_lists.h"

#include <array>

#include "daemon/tpm/response_view.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

constexpr std::array kFirst = {tpm::kTransientFirst, tpm::kLoadedSessionFirst,
                               tpm::kSavedSessionFirst};
// More handles than any TPM has: a device that lists without end is refused.
constexpr std::size_t kMaxHandles = 4096;

}  // namespace

std::optional<proto::Buffer> HandleLists::next() const {
  if (list_ == kFirst.size()) return std::nullopt;
  return tpm::build::get_capability(tpm::cap::kHandles, property_,
                                    static_cast<std::uint32_t>(tpm::kMaxListedHandles));
}

std::vector<exec::PhysicalHandle>& HandleLists::current() {
  if (list_ == 0) return objects;
  return list_ == 1 ? loaded_sessions : saved_sessions;
}

bool HandleLists::take(proto::Bytes response) {
  const auto view = tpm::parse_response(response, {});
  if (!view || !view->success()) return false;
  const auto list = tpm::parse_words(view->parameters, tpm::cap::kHandles);
  if (!list) return false;
  auto& handles = current();
  for (const std::uint32_t handle : list->items) handles.push_back(exec::PhysicalHandle{handle});
  if (list->more && !list->items.empty() && handles.size() < kMaxHandles) {
    // A saved session may be listed as 0x02...: the query keeps the list's own type.
    property_ = tpm::handle_range(kFirst[list_]) | (tpm::handle_index(list->items.back()) + 1);
    return true;
  }
  ++list_;
  if (list_ < kFirst.size()) property_ = kFirst[list_];
  return true;
}

}  // namespace tbs::rm
