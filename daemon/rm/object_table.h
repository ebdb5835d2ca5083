#pragma once

// All transient objects: whose they are, and which of them are loaded. Objects keep their address
// from add() to erase().

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/tally.h"
#include "daemon/rm/handle_space.h"
#include "daemon/rm/object.h"

namespace tbs::rm {

class ObjectTable {
 public:
  void open_context(ContextId context, const Principal& principal);
  // See exec::Engine.
  void skip_handles(ContextId context, std::uint32_t earlier);
  // The same, by the index of the first; nothing happens once there are objects. And which it is.
  void begin_handles(ContextId context, std::uint32_t first);
  [[nodiscard]] std::uint32_t first_index(ContextId context) const {
    return contexts_.at(context).objects.first();
  }
  [[nodiscard]] bool is_skipped(ContextId context, exec::VirtualHandle handle) const {
    return contexts_.at(context).objects.is_skipped(handle);
  }
  // The context must have no objects left.
  void close_context(ContextId context);

  // Registers an object that the TPM has just loaded as `physical`, for an open context. Another
  // object that was believed to be loaded there is not, then: it counts as evicted.
  Object& add(ContextId context, exec::PhysicalHandle physical, bool sequence);
  void erase(Object& object);
  // From a record: for an open context, under the handle that it has, and not loaded. Null when
  // there is no such context, or the handle is taken or none.
  Object* put_back(Object object);
  [[nodiscard]] Object* find(ContextId context, exec::VirtualHandle handle) const;

  void set_loaded(Object& object, exec::PhysicalHandle physical);
  void set_evicted(Object& object);
  void set_sticky(Object& object, bool sticky);
  [[nodiscard]] std::size_t sticky_count() const { return sticky_; }
  [[nodiscard]] std::span<Object* const> loaded() const { return loaded_; }

  [[nodiscard]] std::size_t total() const { return by_context_.total(); }
  [[nodiscard]] std::size_t count(ContextId context) const { return by_context_.of(context); }
  [[nodiscard]] std::size_t count(AccountId account) const { return by_account_.of(account); }
  // Who has most, in one context and in all.
  [[nodiscard]] Peak<AccountId> most_in_context() const;
  [[nodiscard]] Peak<AccountId> most() const { return by_account_.peak(); }
  [[nodiscard]] std::vector<exec::VirtualHandle> handles_from(ContextId context,
                                                              exec::VirtualHandle first) const;
  [[nodiscard]] std::vector<Object*> of(ContextId context) const;
  // In the order of contexts and handles.
  [[nodiscard]] std::vector<Object*> all() const;

 private:
  struct ContextObjects {
    Principal principal{};
    HandleSpace objects;
  };

  void displace(exec::PhysicalHandle physical);

  std::unordered_map<ContextId, ContextObjects> contexts_;
  Tally<AccountId> by_account_;
  Tally<ContextId> by_context_;
  std::vector<Object*> loaded_;
  std::size_t sticky_ = 0;
};

}  // namespace tbs::rm
