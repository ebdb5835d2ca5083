#pragma once

// One run: a machine with its TPM, tbsd with its restarts, and the users. All of it follows from
// the plan, and the plan from the seed.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/exec/limits.h"
#include "daemon/server/socket_profile.h"
#include "tests/sim/board.h"
#include "tests/sim/fairness.h"
#include "tests/sim/kernel/kernel.h"
#include "tests/sim/kernel/node.h"
#include "tests/sim/link.h"
#include "tests/sim/losses.h"
#include "tests/sim/plan.h"
#include "tests/sim/tpm/model_tpm.h"
#include "tests/sim/users/user.h"
#include "tests/sim/world.h"

namespace tbs::sim {

struct Outcome {
  std::string invariant;  // empty: all of them hold
  std::string how;
  Time when = 0;
  std::uint64_t digest = 0;
  Time simulated = 0;
  Time connected = 0;  // all clients together
  std::uint64_t commands = 0;
  std::uint64_t restarts = 0;
};

class Tbsd;
struct Store;

class Simulation {
 public:
  Simulation(const Plan& plan, bool verbose);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Outcome run();

  void connect(SharedFile socket, server::SharedProfile profile);
  // Asked often where much is sent.
  void check_memory();
  // A client has been answered.
  void answered() { ++commands_; }
  // Whether something is wrong with the TPM that was or may become noticeable since then.
  [[nodiscard]] bool troubled_since(Time moment) const;
  [[nodiscard]] Time last_restart() const { return last_restart_; }
  // How often the TPM has wanted a command later.
  [[nodiscard]] std::uint64_t put_off() const { return chip_.put_off(); }
  [[nodiscard]] Time last_trouble() const { return last_trouble_; }
  [[nodiscard]] bool ending() const { return ending_; }
  [[nodiscard]] bool over() const { return over_; }
  // The busy ones are at work.
  [[nodiscard]] bool contest() const { return contest_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  std::uint64_t next_link() { return ++links_; }

  World world;
  Time connected = 0;
  Board board;
  Losses losses;

 private:
  void begin_life();
  void plan_restart();
  void end_run();
  void check_often();
  void check_nothing_left();
  void check_failures();
  void on_begin(std::span<const std::uint8_t> command, Time took);
  void note_trouble(Trouble trouble);
  ModelTpm::Options tpm_options();

  Plan plan_;
  Kernel kernel_;
  ModelTpm tpm_;
  Chip chip_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Tbsd> daemon_;
  std::vector<std::pair<SharedFile, server::SharedProfile>> backlog_;
  std::vector<std::unique_ptr<User>> users_;
  std::shared_ptr<Link> observer_;
  std::uint64_t commands_ = 0;
  std::uint64_t restarts_ = 0;
  std::uint64_t links_ = 0;
  Time last_trouble_ = 0;
  bool unnoticed_ = false;  // a response is lost, and nothing was sent since
  Time last_restart_ = 0;
  bool leaves_ = false;
  bool ending_ = false;
  bool over_ = false;
  bool contest_ = false;
  Fairness fairness_;
};

}  // namespace tbs::sim
