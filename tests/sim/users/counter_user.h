#pragma once

// Counts in an NV index of its own, which outlives connections, processes and the TPM's power. It
// has one command under way at a time, so it knows what the counter must be, or between which
// numbers when it was not told of an increment.

#include <cstdint>

#include "tests/sim/users/session_user.h"

namespace tbs::sim {

class CounterUser final : public SessionUser {
 public:
  CounterUser(Simulation& simulation, const UserPlan& plan);

  void begin() override;
  void leave() override;
  void check_end() override;

 protected:
  void on_open() override;
  void on_answer(const Waiting& waiting, bool good) override;
  void on_gone() override;
  [[nodiscard]] bool excuses(const Waiting& waiting, std::uint32_t code) override;
  void on_success(Waiting& waiting, proto::Bytes response) override;
  void on_status(const Waiting& waiting, std::uint32_t status) override;
  void go_on() override;

 private:
  enum class There : std::uint8_t { No, Perhaps, Yes };

  void start();
  void step();
  void ask(Op op);
  void check_value(const Waiting& waiting, proto::Bytes response);

  std::uint32_t index_;
  There there_ = There::No;
  bool unsure_ = false;  // whether it was there when the command was sent
  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
  std::uint64_t left_ = 0;  // until it closes for a while
};

}  // namespace tbs::sim
