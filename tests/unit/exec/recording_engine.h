#pragma once

// An engine that writes down what is asked of it, and whose executions tell who made them.

#include <memory>
#include <string>

#include "daemon/exec/execution.h"

namespace tbs::exec::test {

// Ends at once and tells by its response who made it.
class Signed final : public Execution {
 public:
  explicit Signed(std::uint8_t name) : name_(name) {}
  Step start() override { return Done{.response = {name_}}; }
  Step on_response(std::span<const std::uint8_t>) override { return Done{}; }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  std::uint8_t name_;
};

class RecordingEngine final : public Engine {
 public:
  static constexpr std::size_t kLoads = 7;
  static constexpr std::size_t kObjects = 3;

  explicit RecordingEngine(char name) : name_(name) {}

  void open_context(ContextId, const Principal&) override { calls += "open "; }
  void skip_handles(ContextId, std::uint32_t) override { calls += "skip "; }
  void inherit(ContextId, ContextId) override { calls += "inherit "; }
  void close_context(ContextId) override { calls += "close "; }
  std::unique_ptr<Execution> execute(SharedCommand) override { return made("execute "); }
  [[nodiscard]] std::size_t loads_needed(const ClientCommand&) const override { return kLoads; }
  proto::Status make_sticky(ContextId, std::uint32_t, bool) override {
    calls += "sticky ";
    return proto::Status::Success;
  }
  [[nodiscard]] Usage usage() const override {
    return {.objects_of_context = {.amount = kObjects, .who = {}}};
  }
  [[nodiscard]] AccountUsage usage_of(AccountId) const override { return {.objects = kObjects}; }
  std::unique_ptr<Execution> housekeeping() override { return made("housekeeping "); }
  [[nodiscard]] bool may_have_housekeeping() const override { return has_housekeeping; }
  std::unique_ptr<Execution> idle_housekeeping() override { return made("idle "); }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override { return TimePoint(); }
  std::unique_ptr<Execution> evict_all() override { return made("evict-all "); }
  std::unique_ptr<Execution> bring_up() override { return made("bring-up "); }
  std::unique_ptr<Execution> shutdown(bool) override { return made("shutdown "); }
  void device_lost() override { calls += "lost "; }

  std::string calls;
  bool has_housekeeping = true;

 private:
  std::unique_ptr<Execution> made(const std::string& call) {
    calls += call;
    return std::make_unique<Signed>(static_cast<std::uint8_t>(name_));
  }

  char name_;
};

// The name of the engine that made it; '-' for none.
inline char maker_of(const std::unique_ptr<Execution>& execution) {
  if (!execution) return '-';
  return static_cast<char>(std::get<Done>(execution->start()).response.at(0));
}

}  // namespace tbs::exec::test
