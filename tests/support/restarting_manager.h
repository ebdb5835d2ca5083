#pragma once

// A resource manager of a daemon that dies again and again (restarting_engine.h), with the
// functions that tests look into it with. Without restarts it is just the manager.

#include <memory>
#include <utility>

#include "daemon/exec/limits.h"
#include "daemon/rm/resource_manager.h"
#include "daemon/rm12/resource_manager.h"
#include "tests/support/restarting_engine.h"
#include "tests/support/told.h"

namespace tbs::test {

template <typename Manager>
class ManagerLife final : public Life, private restart::EngineState {
 public:
  ManagerLife(exec::Options options, exec::Observer* observer)
      : outside_({.steady = options.now, .machine = [] { return MachineTime{}; }}),
        told_(observer),
        manager((options.now = [this] { return outside_.steady(); }, std::move(options)), told_) {}

  exec::Engine& engine() override { return manager; }
  restart::EngineState& state() override { return *this; }
  restart::Outside& outside() override { return outside_; }
  std::string take_told() override { return told_.take(); }

 private:
  void save(RecordWriter& record) const override { manager.save(record); }
  void restore(RecordReader& record) override { manager.restore(record); }
  void apply(const restart::Setting& setting) override {
    if (const auto* const chosen = std::get_if<restart::ManagerOptions>(&setting)) {
      manager.configure(chosen->options);
    }
  }

  restart::Outside outside_;
  Told told_;

 public:
  Manager manager;
};

template <typename Manager>
class RestartingManager : public RestartingEngine {
 public:
  // Only the twin's news go to the observer: a life that begins again has old ones.
  RestartingManager(const exec::Options& options, exec::Observer& observer)
      : RestartingEngine([options, on = &observer]() mutable {
          return std::make_unique<ManagerLife<Manager>>(options, std::exchange(on, nullptr));
        }) {}

 protected:
  [[nodiscard]] Manager& manager() const {
    return static_cast<ManagerLife<Manager>&>(mortal()).manager;
  }
};

class RestartingRm final : public RestartingManager<rm::ResourceManager> {
 public:
  using RestartingManager::RestartingManager;

  [[nodiscard]] rm::Holdings holdings(ContextId context) { return manager().holdings(context); }
  [[nodiscard]] const exec::Statistics& statistics() const { return manager().statistics(); }
  [[nodiscard]] const tpm::CommandTable& commands() const { return manager().commands(); }
  [[nodiscard]] const rm::Facts& facts() const { return manager().facts(); }
};

class RestartingRm12 final : public RestartingManager<rm12::ResourceManager> {
 public:
  using RestartingManager::RestartingManager;

  [[nodiscard]] const rm12::State& state() const { return manager().state(); }
};

}  // namespace tbs::test
