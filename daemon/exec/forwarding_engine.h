#pragma once

// An engine that stands in front of another one and hands everything on. Who derives from it says
// what is different.

#include "daemon/exec/execution.h"

namespace tbs::exec {

class ForwardingEngine : public Engine {
 public:
  void open_context(ContextId context, const Principal& principal) override {
    behind().open_context(context, principal);
  }
  void skip_handles(ContextId context, std::uint32_t earlier) override {
    behind().skip_handles(context, earlier);
  }
  void inherit(ContextId heir, ContextId from) override { behind().inherit(heir, from); }
  void close_context(ContextId context) override { behind().close_context(context); }
  std::unique_ptr<Execution> execute(SharedCommand command) override {
    return behind().execute(std::move(command));
  }
  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override {
    return behind().loads_needed(command);
  }
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override {
    return behind().make_sticky(context, handle, sticky);
  }
  [[nodiscard]] Usage usage() const override { return behind().usage(); }
  [[nodiscard]] AccountUsage usage_of(AccountId account) const override {
    return behind().usage_of(account);
  }
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId context,
                                                         std::size_t most) const override {
    return behind().held_by(context, most);
  }
  std::unique_ptr<Execution> housekeeping() override { return behind().housekeeping(); }
  [[nodiscard]] bool may_have_housekeeping() const override {
    return behind().may_have_housekeeping();
  }
  std::unique_ptr<Execution> idle_housekeeping() override { return behind().idle_housekeeping(); }
  [[nodiscard]] std::optional<TimePoint> next_maintenance() const override {
    return behind().next_maintenance();
  }
  std::unique_ptr<Execution> evict_all() override { return behind().evict_all(); }
  std::unique_ptr<Execution> bring_up() override { return behind().bring_up(); }
  std::unique_ptr<Execution> shutdown(bool owns_power) override {
    return behind().shutdown(owns_power);
  }
  void device_lost() override { behind().device_lost(); }

 private:
  // The engine that everything goes to now.
  [[nodiscard]] virtual Engine& behind() const = 0;
};

}  // namespace tbs::exec
