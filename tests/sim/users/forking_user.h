#pragma once

// A server that opens its keys and forks: each child inherits them, by the same handles, and signs
// with them on a connection of its own. Until a child has had its first answer the parent keeps
// what it has.

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/sim/users/session_user.h"

namespace tbs::sim {

class ForkingUser;

class ForkedChild final : public SessionUser {
 public:
  ForkedChild(Simulation& simulation, const UserPlan& plan, ForkingUser& parent);

  void begin() override;
  void leave() override {}
  void inherit(std::uint64_t context, proto::Buffer token, const std::vector<SharedThing>& things);

 protected:
  void on_open() override;
  void on_answer(const Waiting& waiting, bool good) override;
  void on_gone() override;
  bool on_message(const proto::Frame& frame) override;
  void go_on() override;

 private:
  void step();
  void end();

  ForkingUser& parent_;
  std::uint64_t from_ = 0;
  proto::Buffer proof_;
  std::vector<SharedThing> inherited_;
  std::uint64_t left_ = 0;
  bool first_ = true;
};

class ForkingUser final : public SessionUser {
 public:
  ForkingUser(Simulation& simulation, const UserPlan& plan);

  void begin() override;
  void leave() override;
  void check_end() override;
  void check_waits() override;

  // The child has what it inherits, or has given up.
  void inherited(std::uint64_t from);
  // Whether that connection of the parent is the one that it has still.
  [[nodiscard]] bool has(std::uint64_t context) const { return open_ && context_ == context; }

 protected:
  void on_open() override;
  void on_answer(const Waiting& waiting, bool good) override;
  void on_gone() override;
  void go_on() override;

 private:
  void start();
  void step();
  void fork();
  void end_visit();

  std::vector<std::unique_ptr<ForkedChild>> children_;
  std::uint64_t left_ = 0;
  bool forking_ = false;  // a child has not got everything yet
  bool stepping_ = false;
};

}  // namespace tbs::sim
