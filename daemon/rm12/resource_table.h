#pragma once

// All keys and sessions: whose they are, and which of them are loaded. Resources keep their address
// from add() to erase().
//
// Virtual handles are the lowest free ones of their context and kind: 0x01000000 and up for keys,
// 0x02000000 for authorization sessions, 0x04000000 for transport sessions. A client that has lost
// a connection gets others (exec::first_handle_index).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/tally.h"
#include "daemon/exec/execution.h"
#include "daemon/rm12/resource.h"

namespace tbs::rm12 {

class ResourceTable {
 public:
  void open_context(ContextId context, const Principal& principal);
  // See exec::Engine.
  void skip_handles(ContextId context, std::uint32_t earlier);
  // The same, by the index of the first.
  void begin_handles(ContextId context, std::uint32_t first);
  // The context must have no resources left.
  void close_context(ContextId context);
  [[nodiscard]] bool is_open(ContextId context) const { return contexts_.contains(context); }
  [[nodiscard]] const Principal& principal_of(ContextId context) const {
    return contexts_.at(context).principal;
  }

  // Registers what the TPM has just made or loaded as `physical`, for an open context. Anything
  // that was believed to be loaded there is not, then. `wanted` must be free; without it the
  // resource gets the lowest free handle.
  Resource& add(ContextId context, Kind kind, exec::PhysicalHandle physical,
                std::optional<exec::VirtualHandle> wanted = std::nullopt);
  // No session may point to it any more.
  void erase(Resource& resource);
  // From a record: for an open context, as it is. Null when there is no such context, or something
  // has its handle there, or its place in the TPM.
  Resource* put_back(Resource resource);
  [[nodiscard]] Resource* find(ContextId context, Kind kind, exec::VirtualHandle handle) const;
  // Hands it to another context; under the handle `wanted` where that is free there.
  Resource& move(Resource& resource, ContextId context, std::optional<exec::VirtualHandle> wanted);

  void set_loaded(Resource& resource, exec::PhysicalHandle physical);
  void set_evicted(Resource& resource);
  [[nodiscard]] std::size_t loaded_count(Kind kind) const;

  [[nodiscard]] std::span<Resource* const> all() const { return all_; }
  struct OpenContext {
    Principal principal{};
    std::uint32_t first_index = 0;  // of its handles

    template <typename Record>
    void fields(Record& record) {
      record(principal, first_index);
    }
  };
  [[nodiscard]] std::map<ContextId, OpenContext> contexts() const;
  [[nodiscard]] std::vector<Resource*> of(ContextId context) const;
  // Ascending.
  [[nodiscard]] std::vector<exec::VirtualHandle> handles(ContextId context, Kind kind) const;
  // Keys, or sessions of every kind.
  [[nodiscard]] std::size_t count(ContextId context, bool keys) const {
    return tallies(keys).by_context.of(context);
  }
  [[nodiscard]] std::size_t count(AccountId account, bool keys) const {
    return tallies(keys).by_account.of(account);
  }
  [[nodiscard]] exec::Usage usage() const;

  // The handles of permanent keys, whose numbers no virtual handle may have.
  std::vector<exec::PhysicalHandle> permanent_keys;

 private:
  using Name = std::pair<Kind, exec::VirtualHandle>;
  struct ContextResources {
    Principal principal{};
    std::uint32_t first_index = 0;
    std::map<Name, std::unique_ptr<Resource>> resources;
  };

  struct Tallies {
    Tally<ContextId> by_context;
    Tally<AccountId> by_account;
  };

  [[nodiscard]] const Tallies& tallies(bool keys) const { return keys ? keys_ : sessions_; }
  void count_in(const Resource& resource);
  void count_out(const Resource& resource);
  [[nodiscard]] Peak<AccountId> most_in_context(bool keys) const;
  [[nodiscard]] exec::VirtualHandle free_handle(const ContextResources& context_entry,
                                                Kind kind) const;
  void displace(Kind kind, exec::PhysicalHandle physical);

  std::unordered_map<ContextId, ContextResources> contexts_;
  std::vector<Resource*> all_;
  Tallies keys_;
  Tallies sessions_;
};

}  // namespace tbs::rm12
