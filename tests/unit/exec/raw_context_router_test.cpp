#include "daemon/exec/raw_context_router.h"

#include <string>

#include <catch2/catch.hpp>

using namespace tbs;
using exec::Engine;
using exec::Execution;
using exec::RawContextRouter;

namespace {

constexpr ContextId kRaw{1};
constexpr ContextId kManaged{2};
constexpr UserId kUser{1000};

// An execution that ends at once and tells by its response who made it.
class Signed : public Execution {
 public:
  explicit Signed(std::uint8_t name) : name_(name) {}
  exec::Step start() override { return exec::Done{.response = {name_}}; }
  exec::Step on_response(std::span<const std::uint8_t>) override { return exec::Done{}; }
  exec::Step on_pause_over() override { return exec::Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  std::uint8_t name_;
};

// Writes down what is asked of it.
class Recorder : public Engine {
 public:
  explicit Recorder(char name) : name_(name) {}

  void open_context(ContextId, UserId) override { calls += "open "; }
  void close_context(ContextId) override { calls += "close "; }
  std::unique_ptr<Execution> execute(ContextId, std::uint8_t, std::vector<std::uint8_t>) override {
    return made("execute ");
  }
  [[nodiscard]] std::size_t loads_needed(ContextId, std::span<const std::uint8_t>) override {
    return 7;
  }
  proto::Status make_sticky(ContextId, std::uint32_t, bool) override {
    return proto::Status::Success;
  }
  std::unique_ptr<Execution> housekeeping() override { return made("chores "); }
  std::unique_ptr<Execution> idle_housekeeping() override { return made("idle "); }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() override { return TimePoint(); }
  std::unique_ptr<Execution> evict_all() override { return made("out "); }
  std::unique_ptr<Execution> bring_up() override { return made("up "); }
  std::unique_ptr<Execution> shutdown(bool) override { return made("down "); }
  void device_lost() override { calls += "lost "; }

  std::string calls;

 private:
  std::unique_ptr<Execution> made(const std::string& call) {
    calls += call;
    return std::make_unique<Signed>(static_cast<std::uint8_t>(name_));
  }

  char name_;
};

struct Bench {
  Recorder managed{'m'};
  Recorder raw{'r'};
  RawContextRouter gate{managed, raw};
};

char maker_of(const std::unique_ptr<Execution>& execution) {
  if (!execution) return '-';
  const auto step = execution->start();
  return static_cast<char>(std::get<exec::Done>(step).response.at(0));
}

}  // namespace

TEST_CASE("without a raw context everything goes to the engine behind the gate", "[exec][raw]") {
  Bench bench;
  bench.gate.open_context(kManaged, kUser);
  CHECK(maker_of(bench.gate.execute(kManaged, 0, {})) == 'm');
  CHECK(bench.gate.loads_needed(kManaged, {}) == 7);
  CHECK(bench.gate.make_sticky(kManaged, 0x80000000, true) == proto::Status::Success);
  CHECK(bench.gate.next_maintenance().has_value());
  CHECK(maker_of(bench.gate.housekeeping()) == 'm');
  CHECK(maker_of(bench.gate.idle_housekeeping()) == 'm');
  CHECK(maker_of(bench.gate.evict_all()) == 'm');
  CHECK(maker_of(bench.gate.bring_up()) == 'm');
  CHECK(maker_of(bench.gate.shutdown(true)) == 'm');
  bench.gate.device_lost();
  bench.gate.close_context(kManaged);
  CHECK(bench.managed.calls == "open execute chores idle out up down lost close ");
  CHECK(bench.raw.calls.empty());
}

TEST_CASE("a raw context is the other engine's, and the TPM is brought up after it",
          "[exec][raw]") {
  Bench bench;
  bench.gate.claim(kRaw);
  bench.gate.open_context(kRaw, kUser);
  CHECK(maker_of(bench.gate.execute(kRaw, 0, {})) == 'r');
  CHECK(bench.gate.loads_needed(kRaw, {}) == 0);
  CHECK(bench.gate.make_sticky(kRaw, 0x80000000, true) == proto::Status::BadParameter);
  CHECK(maker_of(bench.gate.idle_housekeeping()) == '-');
  bench.gate.close_context(kRaw);
  CHECK(bench.raw.calls == "open execute close ");
  CHECK(bench.managed.calls.empty());

  bench.gate.open_context(kManaged, kUser);
  CHECK(maker_of(bench.gate.housekeeping()) == 'm');
  CHECK(maker_of(bench.gate.housekeeping()) == 'm');
  CHECK(maker_of(bench.gate.execute(kManaged, 0, {})) == 'm');
  CHECK(bench.managed.calls == "open up chores execute ");
}
