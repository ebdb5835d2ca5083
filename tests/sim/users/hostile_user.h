#pragma once

// Breaks the protocol in every way there is, guesses what belongs to others, fails at
// authorizations, and asks more than it should. What it must not get is what others have; what it
// must get is the end of its connection.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proto/byte_writer.h"
#include "proto/frame.h"
#include "tests/sim/link.h"
#include "tests/sim/random.h"
#include "tests/sim/users/user.h"

namespace tbs::sim {

class HostileUser final : public User {
 public:
  HostileUser(Simulation& simulation, const UserPlan& plan);

  void begin() override { attack_later(); }
  void leave() override { leaving_ = true; }
  void check_end() override;

 private:
  enum class Expected : std::uint8_t { Nothing, Closed };

  void attack_later();
  void attack();
  // `then`: when its hello was answered; null: it says none.
  void connect(std::function<void()> then);
  void malformed();
  void out_of_place();
  void silent();
  void guess_handles();
  void send_guesses();
  void guess_session();
  void reach_for_counters();
  void flood_on();
  void fail_authorizations();
  void flood();
  void guess_token();
  void end_soon(Time delay, Expected expected);
  void submit(proto::Buffer command, std::uint32_t priority);
  void on_frame(const proto::Frame& frame);

  Simulation& sim_;
  UserPlan plan_;
  Random random_;
  std::shared_ptr<Link> link_;
  std::function<void()> then_;
  std::string doing_;
  std::uint64_t requests_ = 0;
  Time attacked_ = 0;  // when its hello was answered
  bool must_fail_ = false;
  bool leaving_ = false;
};

}  // namespace tbs::sim
