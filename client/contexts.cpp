#include "client/contexts.h"

#include <cstdint>
#include <utility>

#include "client/fork_guard.h"
#include "client/handle_table.h"
#include "client/socket_path.h"

namespace tbs::client {
namespace {

using proto::Status;
using Table = HandleTable<Context>;

// Under the library's lock. Never freed: other threads may still be inside while the process exits.
constinit Table* table = nullptr;

// The TPM families that a version-two client includes, and whether it wants the TPM to itself.
// Programs leave the bits that they do not set uninitialised: requestRaw beside spare bits that are
// not zero is such a leftover, and who may be taken at their word is the daemon's decision.
std::uint32_t flags_of(const TBS_CONTEXT_PARAMS2& parameters) {
  constexpr std::uint32_t kFamilies = proto::kWantTpm12 | proto::kWantTpm20;
  const std::uint32_t flags = (parameters.includeTpm12 != 0 ? proto::kWantTpm12 : 0) |
                              (parameters.includeTpm20 != 0 ? proto::kWantTpm20 : 0);
  const bool raw = parameters.requestRaw != 0 && parameters.reserved == 0;
  return raw && (flags & kFamilies) != 0 ? flags | proto::kWantRaw : flags;
}

std::expected<std::uint32_t, Status> wanted_flags(PCTBS_CONTEXT_PARAMS parameters) {
  if (parameters->version == TBS_CONTEXT_VERSION_ONE) return proto::kWantTpm12;
  if (parameters->version != TBS_CONTEXT_VERSION_TWO) {
    return std::unexpected(Status::InvalidContextParam);
  }
  const std::uint32_t wanted = flags_of(*reinterpret_cast<PCTBS_CONTEXT_PARAMS2>(parameters));
  if (wanted == 0) return std::unexpected(Status::InvalidContextParam);
  return wanted;
}

}  // namespace

TBS_HCONTEXT add_context(std::shared_ptr<Context> context) {
  const LibraryLock lock;
  if (table == nullptr) table = new Table;
  const std::uint32_t handle = table->insert(std::move(context), fork_generation());
  return reinterpret_cast<TBS_HCONTEXT>(std::uintptr_t{handle});
}

std::shared_ptr<Context> find_context(TBS_HCONTEXT handle) {
  const LibraryLock lock;
  if (table == nullptr) return nullptr;
  return table->find(reinterpret_cast<std::uintptr_t>(handle), fork_generation());
}

std::shared_ptr<Context> remove_context(TBS_HCONTEXT handle) {
  const LibraryLock lock;
  if (table == nullptr) return nullptr;
  return table->remove(reinterpret_cast<std::uintptr_t>(handle), fork_generation());
}

Status create_context(PCTBS_CONTEXT_PARAMS parameters, std::string_view path,
                      PTBS_HCONTEXT handle) {
  if (handle != nullptr) *handle = nullptr;
  if (parameters == nullptr) return Status::BadParameter;
  if (handle == nullptr) return Status::InvalidOutputPointer;
  const auto wanted = wanted_flags(parameters);
  if (!wanted) return wanted.error();
  auto context = Context::open(chosen_socket(path), *wanted);
  if (!context) return context.error();
  const TBS_HCONTEXT made = add_context(std::move(*context));
  if (made == nullptr) return Status::TooManyContexts;
  *handle = made;
  return Status::Success;
}

}  // namespace tbs::client
