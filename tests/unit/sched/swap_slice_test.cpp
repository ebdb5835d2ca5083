// What a slice costs and what it brings, on a TPM in simulated time: more clients than it has
// slots, with a key each, that ask for one signature after the other. With L for what it takes to
// load a key and flush another one, W for a signature, n clients and k commands between two loads,
// the rate is kW / (kW + L) of the bare TPM's, and each client's key is loaded once in n (kW + L).

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "daemon/sched/run_queue.h"
#include "daemon/sched/swap_cost.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

// Medians of real chips, as tests/bench/chip.h has them.
struct Chip {
  const char* name;
  Duration sign;
  Duration load;
  Duration save;
  Duration flush;
};
constexpr Chip kSlb9665{"SLB9665", 73ms, 85ms, 85ms, 13ms};
constexpr Chip kNpct75x{"NPCT75x", 20ms, 7ms, 7ms, 4ms};

struct Result {
  double rate = 0;   // of the bare TPM's
  double round = 0;  // seconds in which each client's key is loaded once
  double p99 = 0;    // seconds from a command to its answer
};

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

class KeysOnSlots {
 public:
  KeysOnSlots(const Chip& chip, std::size_t clients, std::size_t slots)
      : chip_(chip), slots_(slots), asked_(clients), used_(clients), pauses_(clients, 100us) {
    for (std::size_t client = 0; client < clients; ++client) arrivals_.emplace(now_, client);
  }

  void set_pause(std::size_t client, Duration pause) { pauses_[client] = pause; }
  void make_urgent(std::size_t client) { urgent_ = client; }

  Result run(unsigned slice, Duration time) {
    SwapCost cost;
    cost.set_slice(slice);
    work(cost, time / 4);
    latencies_.clear();
    longest_wait_.clear();
    commands_ = loads_ = 0;
    const TimePoint start = now_;
    work(cost, time);
    std::ranges::sort(latencies_);
    return {.rate = seconds(chip_.sign) * commands_ / seconds(now_ - start),
            .round = seconds(now_ - start) * static_cast<double>(asked_.size()) / loads_,
            .p99 = seconds(latencies_[latencies_.size() * 99 / 100])};
  }
  // The longest time from a command of the client's to its turn.
  [[nodiscard]] Duration longest_wait_of(std::size_t client) const {
    return longest_wait_.at(client);
  }

 private:
  void work(SwapCost& cost, Duration time) {
    for (const TimePoint end = now_ + time; now_ < end;) {
      arrive();
      const auto command = queue_.pop(now_, cost.slice(), [this](const ClientCommand& one) {
        return loaded_.contains(client_of(one));
      });
      if (command == nullptr) {
        now_ = arrivals_.begin()->first;
        continue;
      }
      serve(client_of(*command), cost);
    }
  }
  void arrive() {
    while (!arrivals_.empty() && arrivals_.begin()->first <= now_) {
      const auto [at, client] = *arrivals_.begin();
      arrivals_.erase(arrivals_.begin());
      asked_[client] = at;
      const bool urgent = urgent_ == client;
      queue_.push(
          test::client_command({.user = UserId{urgent ? 0U : 1000U},
                                .roles = urgent ? test::kAdministratorRoles : test::kUserRoles,
                                .context = ContextId{client},
                                .request = RequestId{++last_request_},
                                .priority = urgent ? 300U : 200U}),
          now_);
    }
  }
  void serve(std::size_t client, SwapCost& cost) {
    Duration& longest = longest_wait_[client];
    longest = std::max(longest, now_ - asked_[client]);
    const Duration swapping = bring_in(client);
    now_ += swapping + chip_.sign;
    cost.learn(swapping);
    queue_.finished(swapping + chip_.sign, now_);
    latencies_.push_back(now_ - asked_[client]);
    ++commands_;
    arrivals_.emplace(now_ + pauses_[client], client);
  }
  // As the resource manager does: who was not used for longest goes, and a key is saved once.
  Duration bring_in(std::size_t client) {
    used_[client] = ++uses_;
    if (loaded_.contains(client)) return {};
    ++loads_;
    Duration took = chip_.load;
    if (loaded_.size() == slots_) {
      const std::size_t victim =
          *std::ranges::min_element(loaded_, {}, [this](std::size_t one) { return used_[one]; });
      if (saved_.insert(victim).second) took += chip_.save;
      took += chip_.flush;
      loaded_.erase(victim);
    }
    loaded_.insert(client);
    return took;
  }
  static std::size_t client_of(const ClientCommand& command) {
    return static_cast<std::size_t>(command.context());
  }

  Chip chip_;
  std::size_t slots_;
  RunQueue queue_;
  TimePoint now_{};
  std::multimap<TimePoint, std::size_t> arrivals_;
  std::vector<TimePoint> asked_;
  std::vector<std::uint64_t> used_;
  std::vector<Duration> pauses_;
  std::set<std::size_t> loaded_;
  std::set<std::size_t> saved_;
  std::vector<Duration> latencies_;
  std::map<std::size_t, Duration> longest_wait_;
  std::optional<std::size_t> urgent_;
  double commands_ = 0;
  double loads_ = 0;
  std::uint64_t uses_ = 0;
  std::uint64_t last_request_ = 0;
};

struct Formula {
  double rate;
  double round;
};

// The first command after a load, and those that go before the next one of a key that is not there.
Formula formula(const Chip& chip, std::size_t clients, unsigned slice) {
  const double work = seconds(chip.sign);
  const double swap = seconds(chip.load + chip.flush);
  const double commands = 1 + std::ceil(std::min(slice * swap / 100, 1.0) / work);
  const double turn = commands * work + swap;
  return {.rate = commands * work / turn, .round = static_cast<double>(clients) * turn};
}

struct Load {
  Chip chip;
  std::size_t clients;
  // Of the same load through tpm2-abrmd, which loads, saves and flushes for each command and goes
  // strictly by turns: measured by tests/bench at these times of the chips.
  double rate_of_abrmd;
  double p99_of_abrmd;
};
constexpr std::size_t kSlots = 3;
constexpr std::array kLoads = {Load{kSlb9665, 16, 0.29, 4.1}, Load{kNpct75x, 64, 0.51, 2.6}};

bool near(double value, double expected) {
  return std::abs(value - expected) <= expected * 0.05;
}

}  // namespace

TEST_CASE("rate and round follow from the slice", "[sched][swap]") {
  for (const Load& load : kLoads) {
    const Chip& chip = load.chip;
    const std::size_t clients = load.clients;
    for (const unsigned slice : {0U, 50U, 100U, 200U, 500U, 900U}) {
      const Result result = KeysOnSlots(chip, clients, kSlots).run(slice, 600s);
      const Formula expected = formula(chip, clients, slice);
      INFO(chip.name << ", slice " << slice << " %: rate " << result.rate << " (" << expected.rate
                     << "), round " << result.round << " s (" << expected.round << "), p99 "
                     << result.p99 << " s");
      CHECK(near(result.rate, expected.rate));
      CHECK(near(result.round, expected.round));
      // It waits while the others have their turns, but for those with whom it shares the slots.
      CHECK(result.p99 <= expected.round);
      CHECK(result.p99 >=
            expected.round * static_cast<double>(clients - kSlots) / static_cast<double>(clients));
    }
  }
}

TEST_CASE("the default slice neither wastes the TPM nor keeps anybody waiting", "[sched][swap]") {
  for (const auto& [chip, clients, rate_of_abrmd, p99_of_abrmd] : kLoads) {
    const Result result = KeysOnSlots(chip, clients, kSlots).run(kDefaultSwapSlice, 600s);
    INFO(chip.name << ": rate " << result.rate << ", p99 " << result.p99 << " s");
    CHECK(result.rate >= 1.5 * rate_of_abrmd);
    CHECK(result.p99 <= 1.25 * p99_of_abrmd);
  }
}

TEST_CASE("a turn ends when its client has nothing more to send", "[sched][swap]") {
  // Two clients on one slot, who think for longer than the TPM works: each is served at once,
  // however long the slice is.
  KeysOnSlots keys(kSlb9665, 2, 1);
  keys.set_pause(0, 700ms);
  keys.set_pause(1, 1100ms);
  static_cast<void>(keys.run(900, 600s));
  const Duration one_command = kSlb9665.load + kSlb9665.flush + kSlb9665.sign;
  CHECK(keys.longest_wait_of(0) <= one_command);
  CHECK(keys.longest_wait_of(1) <= one_command);
}

TEST_CASE("an urgent command waits for the command in flight and no other", "[sched][swap]") {
  for (const unsigned slice : {0U, kDefaultSwapSlice, 900U}) {
    KeysOnSlots keys(kSlb9665, 65, kSlots);
    keys.make_urgent(64);
    keys.set_pause(64, 310ms);
    static_cast<void>(keys.run(slice, 600s));
    CHECK(keys.longest_wait_of(64) <= kSlb9665.load + kSlb9665.flush + kSlb9665.sign);
  }
}
