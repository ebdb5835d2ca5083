#pragma once

// A user with a context who keeps to the protocol, and knows what a TPM of its own would answer.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/byte_writer.h"
#include "proto/frame.h"
#include "tests/sim/link.h"
#include "tests/sim/random.h"
#include "tests/sim/users/thing.h"
#include "tests/sim/users/user.h"
#include "tests/sim/world.h"

namespace tbs::sim {

class SessionUser : public User {
 public:
  SessionUser(Simulation& simulation, const UserPlan& plan);

  void check_end() override;
  void check_waits() override;

 protected:
  void connect();
  // A command of which the answer is awaited.
  void submit(Waiting waiting, proto::Buffer command, std::uint32_t priority = kNormal);
  void make(Thing::Kind kind, std::uint32_t priority = kNormal);
  void sign(const SharedThing& key, std::uint32_t priority = kNormal);
  void use(const SharedThing& thing, Op op);
  void flush(const SharedThing& thing);
  void load(const Waiting& saved);
  void simple(Op op);
  void cancel();
  void close();

  // It is connected; it was answered, and there may be more; the connection has gone.
  virtual void on_open() = 0;
  virtual void on_answer(const Waiting& waiting, bool good) = 0;
  virtual void on_gone() = 0;
  // A message that is no answer to a command; false when it was not asked for.
  virtual bool on_message(const proto::Frame&) { return false; }
  // A response that is no success; false when it had to be one.
  [[nodiscard]] virtual bool excuses(const Waiting& waiting, std::uint32_t code);

  void broken(const char* invariant, const Waiting& waiting, const std::string& what);
  SharedThing some(Thing::Kind kind, bool idle = false);
  void forget(const SharedThing& thing);
  // It was not told what came of it.
  virtual void on_status(const Waiting& waiting, std::uint32_t status);
  // What it was told.
  virtual void on_success(Waiting& waiting, proto::Bytes response);
  // Without what it is told meanwhile.
  void later(Time delay, void (SessionUser::*what)());
  virtual void go_on() = 0;

  static constexpr std::uint32_t kLow = 100;
  static constexpr std::uint32_t kNormal = 200;
  static constexpr std::uint32_t kHigh = 300;

  Simulation& sim_;
  UserPlan plan_;
  Random random_;
  std::shared_ptr<Link> link_;
  bool open_ = false;
  std::vector<SharedThing> things_;
  std::map<std::uint64_t, Waiting> waiting_;
  bool leaving_ = false;
  // What others need who inherit it.
  std::uint64_t context_ = 0;
  proto::Buffer token_;
  // A failed device has taken something along, and it does not know what: time to begin anew.
  bool confused_ = false;

 private:
  void on_frame(const proto::Frame& frame);
  void on_hello(const proto::Frame& frame);
  void on_result(std::uint64_t request, proto::Bytes payload);
  void on_closed();
  void took_handle(const Waiting& waiting);
  void compare(const Waiting& waiting, proto::ByteReader& reader);
  void check_high(const Waiting& waiting);
  void check_own(const Waiting& waiting, proto::Bytes response);

  std::uint64_t number_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t tags_ = 0;
  std::uint64_t seen_extended_ = 0;
  Time connected_ = 0;
  // It may have objects and sessions that it knows nothing of.
  bool more_made_ = false;
  bool cancel_waits_ = false;
};

}  // namespace tbs::sim
