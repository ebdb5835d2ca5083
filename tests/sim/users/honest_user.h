#pragma once

// Works in bursts, with pauses of minutes in between, and closes in the end. Some are busy all the
// time; some have something urgent now and then; some are clumsy: they flush nothing, cancel, read
// slowly, send nonsense, and leave in the middle.

#include <optional>

#include "tests/sim/users/session_user.h"

namespace tbs::sim {

class HonestUser final : public SessionUser {
 public:
  HonestUser(Simulation& simulation, const UserPlan& plan);

  void begin() override;
  void leave() override;

 protected:
  void on_open() override;
  void on_answer(const Waiting& waiting, bool good) override;
  void on_gone() override;
  [[nodiscard]] bool excuses(const Waiting& waiting, std::uint32_t code) override;
  void go_on() override;

 private:
  void step();
  void start();
  void step_busy();
  void step_making();
  void step_high();
  void step_clumsy();
  void choose();
  void choose_with_session();
  void rest();
  void end_visit();
  void read_again();
  void load_kept();
  [[nodiscard]] bool is(Kind kind) const { return plan_.kind == kind; }
  [[nodiscard]] std::size_t most_things() const { return is(Kind::Clumsy) ? 70 : 5; }

  std::uint64_t left_in_burst_ = 0;
  std::uint64_t bursts_left_ = 0;
  std::size_t window_ = 1;
  bool makes_keys_ = false;
  std::optional<Waiting> kept_;  // a saved session that it loads later
  bool stepping_ = false;
};

}  // namespace tbs::sim
