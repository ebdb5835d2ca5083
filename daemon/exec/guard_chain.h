#pragma once

// Several guards as one: the first that holds a command back does, and each learns what it wants to
// know.

#include <initializer_list>
#include <vector>

#include "daemon/command/command_guard.h"

namespace tbs::exec {

class GuardChain final : public CommandGuard {
 public:
  // All must outlive it. They are asked in this order.
  GuardChain(std::initializer_list<CommandGuard*> guards) : guards_(guards) {}

  std::optional<proto::Buffer> refusal(const ClientCommand& command) override {
    for (CommandGuard* const guard : guards_) {
      if (auto response = guard->refusal(command)) return response;
    }
    return std::nullopt;
  }
  // The first one that has a question gets the answer.
  std::optional<proto::Buffer> question(const ClientCommand& command) override {
    for (CommandGuard* const guard : guards_) {
      asking_ = guard;
      if (auto question = guard->question(command)) return question;
    }
    asking_ = nullptr;
    return std::nullopt;
  }
  void answered(proto::Bytes response) override {
    if (asking_ != nullptr) asking_->answered(response);
  }
  [[nodiscard]] bool watches(const ClientCommand& command) const override {
    for (const CommandGuard* const guard : guards_) {
      if (guard->watches(command)) return true;
    }
    return false;
  }
  void responded(const ClientCommand& command, proto::Bytes response) override {
    for (CommandGuard* const guard : guards_) {
      if (guard->watches(command)) guard->responded(command, response);
    }
  }

 private:
  std::vector<CommandGuard*> guards_;
  CommandGuard* asking_ = nullptr;
};

}  // namespace tbs::exec
