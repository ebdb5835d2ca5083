// Simulations of the run queue: users with any number of contexts and commands of any length on a
// TPM that takes one command at a time. Who has how much of its time, and how long anybody waits.

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <stdexcept>

#include "daemon/sched/run_queue.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

struct Client {
  std::uint32_t user = 0;
  std::uint32_t priority = 200;
  bool administrator = false;
  Duration shortest = 1ms;
  Duration longest = 1ms;
  std::size_t ahead = 4;  // commands that it keeps waiting
  Duration pause{};       // between an answer and its next command, when `ahead` is 1
};

struct Outcome {
  Duration used{};
  Duration longest_wait{};
  std::size_t answered = 0;
};

// For how long who had something waiting was not served.
class Neglect {
 public:
  void arrived(std::uint64_t who, TimePoint now) {
    Waiting& entry = waiting_[who];
    if (entry.count++ == 0) entry.since = now;
  }
  void served(std::uint64_t who, TimePoint now) {
    Waiting& entry = waiting_[who];
    longest_ = std::max(longest_, now - entry.since);
    --entry.count;
    entry.since = now;
  }
  [[nodiscard]] Duration longest(TimePoint now) const {
    Duration longest = longest_;
    for (const auto& [who, entry] : waiting_) {
      if (entry.count > 0) longest = std::max(longest, now - entry.since);
    }
    return longest;
  }

 private:
  struct Waiting {
    std::size_t count = 0;
    TimePoint since;
  };
  std::map<std::uint64_t, Waiting> waiting_;
  Duration longest_{};
};

// Runs the clients against the queue for some time of the simulation.
class Simulation {
 public:
  explicit Simulation(std::vector<Client> clients, unsigned seed = 1)
      : clients_(std::move(clients)), random_(seed), outcomes_(clients_.size()) {
    for (std::size_t client = 0; client < clients_.size(); ++client) {
      for (std::size_t i = 0; i < clients_[client].ahead; ++i) wake_[now_].push_back(client);
    }
  }

  void run(Duration time) {
    const TimePoint end = now_ + time;
    while (now_ < end) {
      arrivals();
      const auto request = queue.pop(now_);
      if (!request) {
        now_ = wake_.begin()->first;
        continue;
      }
      serve(*request);
    }
  }

  [[nodiscard]] const Outcome& of_client(std::size_t client) const { return outcomes_[client]; }
  [[nodiscard]] std::map<std::uint32_t, Duration> used_by_user() const {
    std::map<std::uint32_t, Duration> used;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      used[clients_[i].user] += outcomes_[i].used;
    }
    return used;
  }
  // The longest time for which a context, or a user's priority, had commands waiting and none was
  // served.
  [[nodiscard]] Duration longest_neglect_of_context() const {
    return neglected_contexts_.longest(now_);
  }
  [[nodiscard]] Duration longest_neglect_of_priority() const {
    return neglected_priorities_.longest(now_);
  }

  RunQueue queue;

 private:
  void arrivals() {
    while (!wake_.empty() && wake_.begin()->first <= now_) {
      for (const std::size_t client : wake_.begin()->second) {
        const Client& what = clients_[client];
        neglected_contexts_.arrived(client, now_);
        neglected_priorities_.arrived(key(what), now_);
        waiting_.emplace(++last_id_, std::pair{now_, client});
        queue.push(test::client_command(
                       {.user = UserId{what.user},
                        .roles = what.administrator ? test::kAdministratorRoles : test::kUserRoles,
                        .context = ContextId{client},
                        .request = RequestId{last_id_},
                        .priority = what.priority}),
                   now_);
      }
      wake_.erase(wake_.begin());
    }
  }

  void serve(const ClientCommand& command) {
    const auto entry = waiting_.find(static_cast<std::uint64_t>(command.request()));
    if (entry == waiting_.end()) throw std::logic_error("a command came out twice");
    const auto [since, client] = entry->second;
    waiting_.erase(entry);
    const Client& what = clients_[client];
    Outcome& outcome = outcomes_[client];
    neglected_contexts_.served(client, now_);
    neglected_priorities_.served(key(what), now_);
    const Duration took{std::uniform_int_distribution<Duration::rep>(
        what.shortest.count(), what.longest.count())(random_)};
    outcome.longest_wait = std::max(outcome.longest_wait, now_ - since);
    outcome.used += took;
    ++outcome.answered;
    now_ += took;
    queue.finished(took, now_);
    wake_[now_ + what.pause].push_back(client);
  }

  static std::uint64_t key(const Client& client) {
    return std::uint64_t{client.user} << 32 | client.priority;
  }

  std::vector<Client> clients_;
  std::mt19937 random_;
  std::vector<Outcome> outcomes_;
  std::map<TimePoint, std::vector<std::size_t>> wake_;
  std::map<std::uint64_t, std::pair<TimePoint, std::size_t>> waiting_;
  Neglect neglected_contexts_;
  Neglect neglected_priorities_;
  std::uint64_t last_id_ = 0;
  TimePoint now_{};
};

double relative(Duration part, Duration even) {
  return static_cast<double>(part.count()) / static_cast<double>(even.count());
}

double deviation(Duration part, Duration even) {
  return std::abs(relative(part, even) - 1);
}

Duration between(std::mt19937& random, std::chrono::microseconds low,
                 std::chrono::microseconds high) {
  return std::chrono::microseconds(
      std::uniform_int_distribution<std::int64_t>(low.count(), high.count())(random));
}

std::uint32_t pick(std::mt19937& random, std::uint32_t low, std::uint32_t high) {
  return std::uniform_int_distribution<std::uint32_t>(low, high)(random);
}

}  // namespace

TEST_CASE("users share the time evenly, whatever they run on however many contexts",
          "[sched][fairness]") {
  constexpr std::uint32_t kMostContexts = 12;
  double worst = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::mt19937 random(seed);
    const std::uint32_t users = pick(random, 2, 7);
    std::vector<Client> clients;
    for (std::uint32_t user = 0; user < users; ++user) {
      const Duration longest = between(random, 100ms, 400ms);
      for (std::uint32_t contexts = pick(random, 1, kMostContexts); contexts > 0; --contexts) {
        clients.push_back({.user = user,
                           .shortest = longest / 10,
                           .longest = longest,
                           .ahead = pick(random, 2, 9)});
      }
    }
    Simulation simulation(clients, seed);
    constexpr auto kTime = 120s;
    simulation.run(kTime);
    for (const auto& [user, used] : simulation.used_by_user()) {
      worst = std::max(worst, deviation(used, kTime / users));
    }
    REQUIRE(worst < 0.05);
    // Each of its user's contexts has a turn, and all the others meanwhile as much time;
    // two more for what is uneven for a moment.
    REQUIRE(simulation.longest_neglect_of_context() < users * kMostContexts * 800ms);
  }
  WARN("largest deviation of a user's share from even in 2000 workloads: " << worst * 100 << " %");
}

TEST_CASE("a user's contexts share the user's time evenly", "[sched][fairness]") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    const std::uint32_t contexts = pick(random, 2, 9);
    std::vector<Client> clients;
    for (std::uint32_t i = 0; i < contexts; ++i) {
      const Duration longest = between(random, 10ms, 200ms);
      clients.push_back({.user = 1, .shortest = longest / 4, .longest = longest, .ahead = 3});
    }
    clients.push_back({.user = 2, .shortest = 10ms, .longest = 90ms});
    Simulation simulation(clients, seed);
    constexpr auto kTime = 600s;
    simulation.run(kTime);
    for (std::size_t i = 0; i < contexts; ++i) {
      REQUIRE(deviation(simulation.of_client(i).used, kTime / 2 / contexts) <= 0.05);
    }
  }
}

TEST_CASE("clients that wait for each answer share evenly too", "[sched][fairness]") {
  // Each has one command at a time, and its next one comes when the TPM has already gone on.
  std::vector<Client> clients;
  for (std::uint32_t user = 0; user < 4; ++user) {
    for (int context = 0; context < 3; ++context) {
      const Duration longest = user == 0 ? 300ms : 20ms;
      clients.push_back(
          {.user = user, .shortest = longest / 2, .longest = longest, .ahead = 1, .pause = 50us});
    }
  }
  Simulation simulation(clients);
  constexpr auto kTime = 300s;
  simulation.run(kTime);
  for (const auto& [user, used] : simulation.used_by_user()) {
    REQUIRE(deviation(used, kTime / 4) <= 0.05);
  }
}

TEST_CASE("many contexts of one user cost another one no more than the command in flight",
          "[sched][fairness]") {
  std::vector<Client> clients(64, {.user = 1, .shortest = 500ms, .longest = 900ms, .ahead = 33});
  // Random numbers now and then, as a service does.
  clients.push_back({.user = 2, .shortest = 5ms, .longest = 5ms, .ahead = 1, .pause = 1500ms});
  Simulation simulation(clients);
  simulation.run(600s);
  REQUIRE(simulation.of_client(64).answered > 200);
  REQUIRE(simulation.of_client(64).longest_wait <= 900ms);
}

TEST_CASE("no workload starves anybody", "[sched][fairness]") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    std::vector<Client> clients;
    const std::uint32_t users = pick(random, 1, 6);
    for (std::uint32_t count = pick(random, 2, 21); count > 0; --count) {
      const Duration longest = between(random, 20ms, 100ms);
      const std::uint32_t user = pick(random, 0, users - 1);
      clients.push_back({.user = user,
                         .priority = pick(random, 0, 4) * 100,
                         .administrator = user == 0,
                         .shortest = longest / 8,
                         .longest = longest,
                         .ahead = pick(random, 1, 4),
                         .pause = between(random, 0us, 200ms)});
    }
    Simulation simulation(clients, seed);
    simulation.run(120s);
    // The lift from the lowest to the highest takes 4 s, for each of five of up to six users,
    // who are passed over themselves.
    REQUIRE(simulation.longest_neglect_of_priority() < 60s);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      REQUIRE(simulation.of_client(i).answered > 0);
    }
  }
}

TEST_CASE("commands of many priorities are no more turns", "[sched][fairness]") {
  // All of them would age at the same time.
  std::vector<Client> clients;
  for (std::uint32_t i = 0; i < 256; ++i) {
    clients.push_back({.user = 1, .priority = i, .shortest = 10ms, .longest = 10ms, .ahead = 33});
  }
  clients.push_back({.user = 2, .priority = 300, .shortest = 10ms, .longest = 10ms, .ahead = 1});
  clients.push_back({.user = 3, .priority = 200, .shortest = 10ms, .longest = 10ms, .ahead = 1});
  Simulation simulation(clients);
  simulation.queue.set_high_share(100);
  simulation.run(100s);
  REQUIRE(relative(simulation.of_client(256).used, 100s) > 0.45);
  // Passed over for as long as the lift from 200 to 300 takes.
  REQUIRE(simulation.of_client(257).longest_wait < 2s);
}

TEST_CASE("a flood above NORMAL takes a share and not all", "[sched][fairness]") {
  std::vector<Client> clients(16, {.user = 1, .priority = 300, .shortest = 50ms, .longest = 50ms});
  clients.push_back({.user = 2, .shortest = 50ms, .longest = 50ms, .ahead = 2});
  constexpr auto kTime = 200s;
  {
    Simulation simulation(clients);
    simulation.run(kTime);
    // A quarter ahead of the others, and half of what remains.
    REQUIRE(relative(simulation.of_client(16).used, kTime) > 0.3);
  }
  for (Client& client : clients) client.administrator = true;
  Simulation trusted(clients);
  trusted.run(kTime);
  REQUIRE(relative(trusted.of_client(16).used, kTime) < 0.1);
}

TEST_CASE("an urgent command now and then stays urgent", "[sched][fairness]") {
  std::vector<Client> clients;
  for (std::uint32_t user = 10; user < 42; ++user) {
    clients.push_back({.user = user, .shortest = 50ms, .longest = 50ms});
  }
  clients.push_back(
      {.user = 1, .priority = 300, .shortest = 50ms, .longest = 50ms, .ahead = 1, .pause = 300ms});
  Simulation simulation(clients);
  simulation.run(200s);
  REQUIRE(simulation.of_client(32).longest_wait <= 50ms);
}

TEST_CASE("time not used earlier is not saved up", "[sched][fairness]") {
  RunQueue queue;
  TimePoint now{};
  std::uint64_t id = 0;
  const auto push = [&](std::uint32_t user) {
    queue.push(test::client_command(
                   {.user = UserId{user}, .context = ContextId{user}, .request = RequestId{++id}}),
               now);
  };
  const auto serve = [&] {
    const auto request = queue.pop(now);
    REQUIRE(request != nullptr);
    now += 10ms;
    queue.finished(10ms, now);
    return static_cast<std::uint32_t>(*request->requester().user);
  };
  for (int i = 0; i < 1000; ++i) push(1);
  for (int i = 0; i < 500; ++i) serve();
  for (int i = 0; i < 100; ++i) push(2);
  std::map<std::uint32_t, int> served;
  for (int i = 0; i < 100; ++i) ++served[serve()];
  REQUIRE(served[1] >= 49);
  REQUIRE(served[2] >= 49);
}
