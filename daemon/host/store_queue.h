#pragma once

// What the service manager has yet to be told about the descriptors that it keeps for a successor,
// and when. It pays for each one that it stores (it compares it with all that it has), and it has
// other work to do; so descriptors of clients go at a pace, and no more of them than the unit has
// room for. What is dropped before it went never goes. Decides only; the sending is
// descriptor_store's.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/base/rate_limit.h"

namespace tbs::host {

class StoreQueue {
 public:
  // 200 a second, after the first 300. With FileDescriptorStoreMax=1100 in the unit, a hundred are
  // left for what is no client's.
  struct Limits {
    unsigned burst = 300;
    std::chrono::milliseconds interval{5};
    std::size_t clients = 1000;
  };
  struct Message {
    enum class Kind : std::uint8_t { Store, Remove, Barrier };
    Kind kind;
    std::string name;
    int descriptor = -1;        // to store
    std::uint64_t barrier = 0;  // its number
  };

  StoreQueue() : StoreQueue(Limits{}) {}
  explicit StoreQueue(Limits limits);

  // The service manager has it from a predecessor.
  void already_kept(const std::string& name);
  // Instead of what was kept under this name before.
  void keep(const std::string& name, int descriptor);
  // It was sent, now or by a predecessor.
  [[nodiscard]] bool has_sent(const std::string& name) const;
  // False when the service manager does not have it, nor will.
  bool drop(const std::string& name);
  // After all that was said before, but for the clients' descriptors, which have no order.
  void barrier(std::uint64_t number);

  // What to send now. Once it has been sent, or cannot be, take_sent() takes it off.
  const Message* next(TimePoint now);
  void take_sent();
  // Something is left to be sent, now or later.
  [[nodiscard]] bool waiting() const;

 private:
  struct Kept {
    bool sent = false;
    std::optional<std::list<Message>::iterator> paced;  // while it waits there
  };

  // By the name alone: there may be more than the limit from a predecessor.
  static bool is_clients(const std::string& name);

  std::size_t most_clients_;
  std::size_t clients_ = 0;  // sent
  RateLimit pace_;
  bool may_go_ = false;  // the pace let the first of paced_ pass
  std::deque<Message> first_;
  std::list<Message> paced_;
  std::unordered_map<std::string, Kept> names_;
};

}  // namespace tbs::host
