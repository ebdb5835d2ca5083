#include "tests/sim/users/forking_user.h"

#include <utility>

#include "proto/message_codec.h"
#include "tests/sim/simulation.h"

namespace tbs::sim {
namespace {

constexpr std::size_t kMostKeys = 4;
constexpr std::uint32_t kInheritRequest = 0xFFFE;

}  // namespace

ForkedChild::ForkedChild(Simulation& simulation, const UserPlan& plan, ForkingUser& parent)
    : SessionUser(simulation, plan), parent_(parent), left_(random_.between(2, 12)) {}

void ForkedChild::inherit(std::uint64_t context, proto::Buffer token,
                          const std::vector<SharedThing>& things) {
  from_ = context;
  proof_ = std::move(token);
  for (const SharedThing& thing : things) {
    if (thing->gone) continue;
    auto copy = std::make_shared<Thing>(*thing);
    copy->waiting = 0;
    inherited_.push_back(std::move(copy));
  }
}

void ForkedChild::begin() {
  connect();
}

void ForkedChild::on_open() {
  link_->send(kInheritRequest, proto::InheritObjects{.context = from_, .token = proof_});
}

bool ForkedChild::on_message(const proto::Frame& frame) {
  if (frame.type != proto::Type::InheritObjectsReply) return false;
  const auto reply = proto::decode<proto::InheritObjectsReply>(frame.payload);
  const bool taken = reply && reply->status == proto::Status::Success;
  if (!taken && parent_.has(from_)) {
    sim_.world.broken("private-tpm", "a child does not inherit");
  }
  if (!taken) {
    end();
    return true;
  }
  things_ = inherited_;
  step();
  return true;
}

// One key after the other, so that each is used.
void ForkedChild::step() {
  if (!open_) return;
  if (left_ == 0 || things_.empty()) return end();
  --left_;
  sign(things_[left_ % things_.size()]);
}

void ForkedChild::on_answer(const Waiting&, bool) {
  // What the parent had only on the TPM has gone with it.
  if (std::exchange(first_, false)) parent_.inherited(from_);
  if (confused_) return end();
  go_on();
}

void ForkedChild::go_on() {
  later(random_.between(1, 2000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&ForkedChild::step));
}

void ForkedChild::on_gone() {
  end();
}

void ForkedChild::end() {
  close();
  if (std::exchange(first_, false)) parent_.inherited(from_);
}

ForkingUser::ForkingUser(Simulation& simulation, const UserPlan& plan)
    : SessionUser(simulation, plan) {}

void ForkingUser::begin() {
  later(random_.between(1, 120'000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&ForkingUser::start));
}

void ForkingUser::start() {
  if (!leaving_) connect();
}

void ForkingUser::leave() {
  leaving_ = true;
  go_on();
}

void ForkingUser::on_open() {
  left_ = random_.between(6, 40);
  forking_ = stepping_ = false;
  sim_.board.add({.uid = plan_.uid, .number = context_, .token = token_}, random_);
  go_on();
}

void ForkingUser::on_answer(const Waiting&, bool) {
  if (confused_) {
    close();
    return on_gone();
  }
  go_on();
}

void ForkingUser::on_gone() {
  things_.clear();
  waiting_.clear();
  if (leaving_) return;
  link_ = nullptr;
  later(random_.between(5, 20'000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&ForkingUser::start));
}

void ForkingUser::go_on() {
  if (!open_ || std::exchange(stepping_, true)) return;
  later(random_.between(1, 3000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&ForkingUser::step));
}

void ForkingUser::step() {
  stepping_ = false;
  if (!open_ || !waiting_.empty() || forking_) return;
  if (left_ == 0 || leaving_) return end_visit();
  --left_;
  if (things_.empty() || (things_.size() < kMostKeys && random_.one_in(3))) {
    return make(Thing::Kind::Key);
  }
  const auto key = some(Thing::Kind::Key);
  switch (random_.below(5)) {
    case 0:
      return fork();
    case 1:
      return flush(key);
    default:
      return sign(key);
  }
}

void ForkingUser::fork() {
  forking_ = true;
  // Another stream of chance than the parent's.
  UserPlan plan = plan_;
  plan.number = (plan_.number + 1) * 1000 + children_.size();
  children_.push_back(std::make_unique<ForkedChild>(sim_, plan, *this));
  children_.back()->inherit(context_, token_, things_);
  children_.back()->begin();
}

void ForkingUser::inherited(std::uint64_t from) {
  if (!has(from)) return;
  forking_ = false;
  go_on();
}

void ForkingUser::end_visit() {
  close();
  if (leaving_) return;
  link_ = nullptr;
  later(random_.between(10, 300) * kSecond,
        static_cast<void (SessionUser::*)()>(&ForkingUser::start));
}

void ForkingUser::check_end() {
  SessionUser::check_end();
  for (const auto& child : children_) child->check_end();
}

void ForkingUser::check_waits() {
  SessionUser::check_waits();
  for (const auto& child : children_) child->check_waits();
}

}  // namespace tbs::sim
