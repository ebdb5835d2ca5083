#pragma once

// Lets one context past the resource management: its commands reach the TPM as they are. It is
// alone while it is there; whoever admits contexts sees to that. When it has gone, the TPM is
// brought up anew, which flushes what it left behind.

#include <optional>

#include "daemon/exec/forwarding_engine.h"

namespace tbs::exec {

class RawContextRouter final : public ForwardingEngine {
 public:
  // Both must outlive it.
  RawContextRouter(Engine& managed, Engine& raw) : managed_(managed), raw_(raw) {}

  // The context, to be opened next, is the raw one. None may be open.
  void claim(ContextId context) { claimed_ = context; }

  void open_context(ContextId context, const Principal& principal) override;
  void skip_handles(ContextId context, std::uint32_t earlier) override {
    if (claimed_ != context) managed_.skip_handles(context, earlier);
  }
  // What a raw context has on the TPM is not known.
  void inherit(ContextId heir, ContextId from) override {
    if (claimed_ != heir && claimed_ != from) managed_.inherit(heir, from);
  }
  void close_context(ContextId context) override;
  std::unique_ptr<Execution> execute(SharedCommand command) override;
  [[nodiscard]] std::size_t loads_needed(const ClientCommand& command) const override {
    return claimed_ == command.context() ? 0 : managed_.loads_needed(command);
  }
  // There is nothing that could be moved for a raw context.
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) override {
    return claimed_ == context ? proto::Status::BadParameter
                               : managed_.make_sticky(context, handle, sticky);
  }
  std::unique_ptr<Execution> housekeeping() override;
  [[nodiscard]] bool may_have_housekeeping() const override {
    return left_ || managed_.may_have_housekeeping();
  }
  std::unique_ptr<Execution> idle_housekeeping() override;
  std::unique_ptr<Execution> evict_all() override {
    return claimed_ ? nullptr : managed_.evict_all();
  }
  std::unique_ptr<Execution> bring_up() override;

  template <typename Record>
  void fields(Record& record) {
    record(claimed_, left_);
  }

 private:
  [[nodiscard]] Engine& behind() const override { return managed_; }

  Engine& managed_;
  Engine& raw_;
  std::optional<ContextId> claimed_;
  bool left_ = false;  // a raw context has gone, and the TPM was not looked at since
};

}  // namespace tbs::exec
