#pragma once

// The virtual handles of one context: it owns the objects and gives each the lowest free handle,
// from 0x80000000 on, as a TPM of its own would. (Test suites of other stacks rely on both.) A
// client that has lost a connection gets others (exec::first_handle_index).

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/rm/object.h"

namespace tbs::rm {

class HandleSpace {
 public:
  // Handles begin so far above 0x80000000. There may be no objects yet.
  void begin_at(std::uint32_t first) { first_ = first; }
  [[nodiscard]] std::uint32_t first() const { return first_; }
  // Whether this one was, if it was any, that of a lost connection.
  [[nodiscard]] bool is_skipped(exec::VirtualHandle handle) const;
  // Takes the object and sets its virtual handle.
  Object& add(std::unique_ptr<Object> object);
  // The same, under the handle that it has. Null when that is taken, or none.
  Object* put_back(std::unique_ptr<Object> object);
  // Null when there is no such handle.
  [[nodiscard]] Object* find(exec::VirtualHandle handle) const;
  // `object` must be in this space; it is destroyed.
  void erase(const Object& object);

  [[nodiscard]] std::size_t count() const { return count_; }
  // Ascending handles from `first` on.
  [[nodiscard]] std::vector<exec::VirtualHandle> handles_from(exec::VirtualHandle first) const;
  // Every object, in the order of handles.
  [[nodiscard]] std::vector<Object*> all() const;

 private:
  [[nodiscard]] std::size_t slot_of(exec::VirtualHandle handle) const;

  std::uint32_t first_ = 0;
  std::vector<std::unique_ptr<Object>> slots_;
  std::size_t count_ = 0;
};

}  // namespace tbs::rm
