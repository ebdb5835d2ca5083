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
#include <iterator>
#include <unordered_map>
#include <vector>

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
    Member& member = member_of(id);
    member.place.virtual_time = std::max(virtual_time_, member.place.virtual_time);
    member.place.turn = ++turns_;
    member.waiting = true;
    order_.insert(position_of(member), member.place);
  }

  void leave(Id id) {
    Member& member = members_.find(id)->second;
    order_.erase(position_of(member));
    member.waiting = false;
    member.place.virtual_time = bounded(member.place.virtual_time);
    forget_some();
  }

  // It is served now. What that takes is charged when it is known.
  void serve(Id id) {
    virtual_time_ = std::max(virtual_time_, order_.front().virtual_time);
    Member& member = members_.find(id)->second;
    move_back(member, {member.place.virtual_time, ++turns_, id});
  }

  // Also when it has left meanwhile.
  void charge(Id id, Duration took) {
    Member& member = member_of(id);
    move_back(member, {bounded(member.place.virtual_time + took), member.place.turn, id});
  }

  // Calls `use` with each member that has been given more than those who wait, and how much.
  template <typename Use>
  void for_each_lead(const Use& use) const {
    for (const auto& [id, member] : members_) {
      const Duration lead = member.place.virtual_time - virtual_time_;
      if (lead > Duration::zero()) use(id, lead);
    }
  }
  // Of one that does not wait.
  void set_lead(Id id, Duration lead) {
    member_of(id).place.virtual_time =
        bounded(virtual_time_ + std::clamp<Duration>(lead, Duration::zero(), kMaxLead));
  }

  [[nodiscard]] bool contains(Id id) const {
    const auto entry = members_.find(id);
    return entry != members_.end() && entry->second.waiting;
  }
  [[nodiscard]] bool empty() const { return order_.empty(); }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  // Who is next by its share of the time, and who has had no turn for longest.
  [[nodiscard]] Id next() const { return order_.front().id; }
  [[nodiscard]] Id longest_waiting() const {
    return std::ranges::min_element(order_, {}, &Place::turn)->id;
  }
  // Next one first.
  [[nodiscard]] const std::vector<Place>& order() const { return order_; }

 private:
  static constexpr std::size_t kLeastBound = 64;

  // Its place is in the order, too, while it waits.
  struct Member {
    Place place;
    bool waiting = false;
  };

  [[nodiscard]] Duration bounded(Duration virtual_time) const {
    return std::min(virtual_time, virtual_time_ + kMaxLead);
  }
  Member& member_of(Id id) {
    return members_.try_emplace(id, Member{.place = {virtual_time_, 0, id}}).first->second;
  }
  // Where it is in the order, or belongs.
  auto position_of(const Member& member) { return std::ranges::lower_bound(order_, member.place); }
  // To a place that is not before the one it has.
  void move_back(Member& member, const Place& to) {
    if (member.waiting) {
      const auto from = position_of(member);
      const auto after = std::lower_bound(std::next(from), order_.end(), to);
      *std::move(std::next(from), after, from) = to;
    }
    member.place = to;
  }
  // Those who have left, once the others have come up to them.
  void forget_some() {
    if (members_.size() <= order_.size() + bound_) return;
    std::erase_if(members_, [this](const auto& entry) {
      return !entry.second.waiting && entry.second.place.virtual_time <= virtual_time_;
    });
    bound_ = std::max(kLeastBound, (members_.size() - order_.size()) * 2);
  }

  // Mostly one or two; a thousand are still moved within a microsecond.
  std::vector<Place> order_;
  std::unordered_map<Id, Member> members_;
  std::size_t bound_ = kLeastBound;  // of those who have left, when some are forgotten
  Duration virtual_time_{};          // of the last one that was next
  std::uint64_t turns_ = 0;
};

}  // namespace tbs::sched
