#pragma once

// Whose turn it is among those who wait, so that TPM time and not the number of turns is shared
// evenly: start-time fair queueing. Each member has a virtual time: what it has been given so far,
// as if all had always been there. The one with the lowest is next, and what its command really
// took is added to it.
//
// - A new member starts at the virtual time of those who wait: time not used earlier is not saved
//   up.
// - One who leaves keeps its virtual time until the others have come up to it. Otherwise a client
//   that waits for each answer before it asks again would be new each time, and long commands would
//   get more time than short ones.
// - Where turns are few, because a higher level has nearly all of the time, an even share could
//   mean a wait of minutes for one with long commands: then it is longest_waiting() that is next.
// - A virtual time is at most kMaxLead ahead, which bounds the wait after a command of minutes.

#include <algorithm>
#include <compare>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>

#include "daemon/base/clock.h"

namespace tbs::sched {

inline constexpr std::chrono::seconds kMaxLead{10};
// What each command counts at least: one answered from memory costs the daemon's time.
inline constexpr std::chrono::microseconds kLeastCharge{20};

template <typename Id>
class FairTurns {
 public:
  struct Place {
    Duration virtual_time;
    std::uint64_t turn;  // among equal virtual times, who had its turn longest ago
    Id id;
    auto operator<=>(const Place&) const = default;
  };

  void join(Id id) {
    const auto absent = absent_.find(id);
    insert({absent == absent_.end() ? virtual_time_ : std::max(virtual_time_, absent->second),
            ++turns_, id});
    if (absent != absent_.end()) absent_.erase(absent);
  }

  void leave(Id id) {
    remember(id, take(id).virtual_time);
    if (absent_.size() <= absent_bound_) return;
    std::erase_if(absent_, [this](const auto& entry) { return entry.second <= virtual_time_; });
    absent_bound_ = std::max(kLeastBound, absent_.size() * 2);
  }

  // It is served now. What that takes is charged when it is known.
  void serve(Id id) {
    virtual_time_ = std::max(virtual_time_, order_.begin()->virtual_time);
    change(id, [this](Place& place) { place.turn = ++turns_; });
  }

  // Also when it has left meanwhile.
  void charge(Id id, Duration took) {
    if (!contains(id)) {
      const auto absent = absent_.find(id);
      remember(id, (absent == absent_.end() ? virtual_time_ : absent->second) + took);
      return;
    }
    change(id, [&](Place& place) { place.virtual_time = bounded(place.virtual_time + took); });
  }

  [[nodiscard]] bool contains(Id id) const { return places_.contains(id); }
  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  // Who is next by its share of the time, and who has had no turn for longest.
  [[nodiscard]] Id next() const { return order_.begin()->id; }
  [[nodiscard]] Id longest_waiting() const {
    return std::ranges::min_element(order_, {}, &Place::turn)->id;
  }
  // Next one first.
  [[nodiscard]] const std::set<Place>& order() const { return order_; }

 private:
  static constexpr std::size_t kLeastBound = 64;
  using Iterator = typename std::set<Place>::iterator;

  [[nodiscard]] Duration bounded(Duration virtual_time) const {
    return std::min(virtual_time, virtual_time_ + kMaxLead);
  }
  void remember(Id id, Duration virtual_time) { absent_[id] = bounded(virtual_time); }
  void insert(Place place) { places_[place.id] = order_.insert(place).first; }
  template <typename Change>
  void change(Id id, Change change) {
    Iterator& place = places_.find(id)->second;
    auto node = order_.extract(place);
    change(node.value());
    place = order_.insert(std::move(node)).position;
  }
  Place take(Id id) {
    const auto entry = places_.find(id);
    const Place place = *entry->second;
    order_.erase(entry->second);
    places_.erase(entry);
    return place;
  }

  std::set<Place> order_;
  std::unordered_map<Id, Iterator> places_;
  std::unordered_map<Id, Duration> absent_;  // of those who have left
  std::size_t absent_bound_ = kLeastBound;   // looked through when there are more
  Duration virtual_time_{};                  // of the last one that was next
  std::uint64_t turns_ = 0;
};

}  // namespace tbs::sched
