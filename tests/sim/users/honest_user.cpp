#include "tests/sim/users/honest_user.h"

#include <optional>
#include <utility>

#include "proto/tpm/response_code.h"
#include "tests/sim/simulation.h"
#include "tests/sim/users/counter_user.h"
#include "tests/sim/users/forking_user.h"
#include "tests/sim/users/hostile_user.h"

namespace tbs::sim {
namespace {

constexpr std::size_t kBusyWindow = 6;
constexpr std::size_t kMostSessions = 2;

}  // namespace

HonestUser::HonestUser(Simulation& simulation, const UserPlan& plan)
    : SessionUser(simulation, plan),
      window_(random_.one_in(3) ? random_.between(2, 6) : 1),
      makes_keys_(is(Kind::Busy) && random_.one_in(3)) {}

void HonestUser::begin() {
  later(random_.between(1, 120'000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&HonestUser::start));
}

void HonestUser::leave() {
  leaving_ = true;
  go_on();
}

void HonestUser::on_gone() {
  things_.clear();
  waiting_.clear();
  if (leaving_) return;
  const Time pause = confused_ ? random_.between(1, 20) * kSecond : Time{0};
  link_ = nullptr;
  later(pause + random_.between(5, 500) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&HonestUser::start));
}

void HonestUser::on_open() {
  stepping_ = false;
  kept_.reset();
  bursts_left_ = random_.between(2, 8);
  left_in_burst_ = random_.between(3, 25);
  go_on();
}

void HonestUser::on_answer(const Waiting& waiting, bool good) {
  if (confused_) {
    close();
    return on_gone();
  }
  if (good && waiting.op == Op::Save) {
    // Others may have seen the saved session, and try to load it meanwhile.
    const bool session = waiting.thing->kind == Thing::Kind::Session;
    if (!session || kept_ || random_.one_in(2)) return load(waiting);
    kept_ = waiting;
    later(random_.between(5, 120) * kSecond,
          static_cast<void (SessionUser::*)()>(&HonestUser::load_kept));
  }
  if (!good && waiting.thing != nullptr && waiting.op != Op::Nonsense && !waiting.thing->gone &&
      waiting.thing->handle != 0 && waiting.thing->waiting == 0) {
    // What nobody is sure of is of no more use.
    waiting.thing->saved = false;
    flush(waiting.thing);
    return;
  }
  go_on();
}

bool HonestUser::excuses(const Waiting& waiting, std::uint32_t code) {
  if (SessionUser::excuses(waiting, code)) return true;
  if (!is(Kind::Clumsy)) return false;
  // Who flushes nothing comes to the limits, and others may need its sessions.
  const std::uint32_t bare = code & ~tpm::rc::kResourceManagerLayer;
  const bool full = bare == tpm::rc::kObjectMemory || bare == tpm::rc::kSessionMemory ||
                    bare == tpm::rc::kSessionHandles;
  const bool session_taken = waiting.thing != nullptr &&
                             waiting.thing->kind == Thing::Kind::Session && names_unknown(code);
  return full || session_taken;
}

void HonestUser::start() {
  if (!leaving_) connect();
}

void HonestUser::go_on() {
  if (stepping_ || !open_) return;
  stepping_ = true;
  later(random_.between(50, 4000) * kMicrosecond,
        static_cast<void (SessionUser::*)()>(&HonestUser::step));
}

void HonestUser::step() {
  stepping_ = false;
  if (!open_) return;
  if (leaving_) return end_visit();
  switch (plan_.kind) {
    case Kind::Busy:
      return step_busy();
    case Kind::High:
      return step_high();
    case Kind::Clumsy:
      return step_clumsy();
    default:
      break;
  }
  if (waiting_.size() >= window_) return;
  if (left_in_burst_ > 0) {
    --left_in_burst_;
    choose();
    if (waiting_.size() < window_) go_on();
  } else if (waiting_.empty()) {
    rest();
  }
}

void HonestUser::rest() {
  if (bursts_left_ == 0) return end_visit();
  --bursts_left_;
  left_in_burst_ = random_.between(3, 25);
  stepping_ = true;
  later(random_.between(20, 900) * kSecond,
        static_cast<void (SessionUser::*)()>(&HonestUser::step));
}

// Half of them leave what they have to whoever cleans up.
void HonestUser::end_visit() {
  if (!waiting_.empty() && !is(Kind::Clumsy)) return;
  if (!is(Kind::Clumsy) && !things_.empty() && random_.one_in(2)) {
    for (const SharedThing& thing : std::vector(things_)) {
      if (!thing->gone) return flush(thing);
    }
  }
  close();
  if (leaving_) return;
  link_ = nullptr;
  later(random_.between(10, 300) * kSecond,
        static_cast<void (SessionUser::*)()>(&HonestUser::start));
}

void HonestUser::choose() {
  const bool room = things_.size() + waiting_.size() < most_things();
  switch (random_.below(12)) {
    case 0:
    case 1:
      if (room) return make(Thing::Kind::Key);
      break;
    case 2:
      if (room) return make(Thing::Kind::Sequence);
      break;
    case 3:
    case 4:
      return choose_with_session();
    case 5:
      if (const auto idle =
              some(random_.one_in(2) ? Thing::Kind::Key : Thing::Kind::Sequence, true)) {
        return random_.one_in(3) ? flush(idle) : use(idle, Op::Save);
      }
      break;
    case 6:
      return simple(random_.one_in(2) ? Op::Extend : Op::ReadPcr);
    case 7:
      if (const auto idle = some(Thing::Kind::Sequence, true)) return use(idle, Op::Complete);
      return simple(random_.one_in(2) ? Op::ListOwn : Op::ListSessions);
    case 8:
    case 9:
      if (const auto sequence = some(Thing::Kind::Sequence)) return use(sequence, Op::Update);
      break;
    default:
      break;
  }
  if (const auto key = some(Thing::Kind::Key)) {
    if (random_.one_in(4)) return use(key, Op::ReadPublic);
    return sign(key, random_.one_in(5) ? kLow : kNormal);
  }
  simple(Op::Random);
}

void HonestUser::choose_with_session() {
  std::size_t sessions = 0;
  for (const SharedThing& thing : things_) {
    if (thing->kind == Thing::Kind::Session) ++sessions;
  }
  for (const auto& [request, waiting] : waiting_) {
    if (waiting.op == Op::MakeSession) ++sessions;
  }
  const auto session = some(Thing::Kind::Session);
  const std::size_t most = is(Kind::Clumsy) ? 40 : kMostSessions;
  if (session == nullptr || (sessions < most && random_.one_in(is(Kind::Clumsy) ? 1 : 4))) {
    if (sessions < most) return make(Thing::Kind::Session);
    return simple(Op::Random);
  }
  if (session->waiting == 0 && random_.one_in(4)) {
    return random_.one_in(2) ? flush(session) : use(session, Op::Save);
  }
  use(session, random_.one_in(2) ? Op::Policy : Op::PolicyDigest);
}

// Its commands take several times as long as those of others.
void HonestUser::step_making() {
  while (const auto made = some(Thing::Kind::Key, true)) flush(made);
  if (!sim_.contest()) {
    stepping_ = true;
    return later(5 * kSecond, static_cast<void (SessionUser::*)()>(&HonestUser::step));
  }
  while (open_ && waiting_.size() < kBusyWindow) make(Thing::Kind::Key);
}

void HonestUser::step_busy() {
  if (makes_keys_) return step_making();
  const auto key = some(Thing::Kind::Key);
  if (key == nullptr) {
    if (waiting_.empty()) make(Thing::Kind::Key);
    return;
  }
  // For a part of the run, all of them at once.
  if (!sim_.contest()) {
    stepping_ = true;
    return later(5 * kSecond, static_cast<void (SessionUser::*)()>(&HonestUser::step));
  }
  while (open_ && waiting_.size() < kBusyWindow) sign(key);
}

void HonestUser::step_high() {
  if (!waiting_.empty()) return;
  const auto key = some(Thing::Kind::Key);
  if (key == nullptr) return make(Thing::Kind::Key, kHigh);
  if (left_in_burst_ > 0) {
    left_in_burst_ = 0;
    return sign(key, kHigh);
  }
  left_in_burst_ = 1;
  stepping_ = true;
  later(random_.between(10, 60) * kSecond, static_cast<void (SessionUser::*)()>(&HonestUser::step));
}

void HonestUser::step_clumsy() {
  if (waiting_.size() >= 24) return;
  if (left_in_burst_ == 0) {
    left_in_burst_ = random_.between(5, 60);
    stepping_ = true;
    return later(random_.between(10, 400) * kSecond,
                 static_cast<void (SessionUser::*)()>(&HonestUser::step));
  }
  --left_in_burst_;
  switch (random_.below(20)) {
    case 0:
      cancel();
      break;
    case 1:
      link_->read_nothing(true);
      later(random_.between(10, 30'000) * kMillisecond,
            static_cast<void (SessionUser::*)()>(&HonestUser::read_again));
      break;
    case 2:
    case 3:
      simple(Op::Nonsense);
      break;
    case 4:
      if (random_.one_in(3)) {
        // In the middle of a frame.
        proto::Buffer part(random_.between(1, 20));
        part[0] = 1;
        if (random_.one_in(2)) link_->send_bytes(part);
        return end_visit();
      }
      [[fallthrough]];
    case 5:
      choose_with_session();
      break;
    case 6:
    case 7:
      make(Thing::Kind::Key);
      break;
    default:
      choose();
  }
  go_on();
}

void HonestUser::load_kept() {
  if (const auto kept = std::exchange(kept_, std::nullopt); kept && open_) load(*kept);
}

void HonestUser::read_again() {
  link_->read_nothing(false);
}

std::unique_ptr<User> make_user(Simulation& simulation, const UserPlan& plan) {
  if (plan.kind == Kind::Hostile) return std::make_unique<HostileUser>(simulation, plan);
  if (plan.kind == Kind::Counter) return std::make_unique<CounterUser>(simulation, plan);
  if (plan.kind == Kind::Forking) return std::make_unique<ForkingUser>(simulation, plan);
  return std::make_unique<HonestUser>(simulation, plan);
}

}  // namespace tbs::sim
