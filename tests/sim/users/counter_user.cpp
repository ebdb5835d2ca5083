#include "tests/sim/users/counter_user.h"

#include <array>
#include <utility>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/sim/simulation.h"

namespace tbs::sim {
namespace {

using proto::Buffer;
using proto::Bytes;
using tpm::CommandBuilder;
namespace cc = tpm::cc;

constexpr std::array<std::uint8_t, 9> kPassword = {0x40, 0, 0, 9, 0, 0, 1, 0, 0};
constexpr std::uint32_t kFirstIndex = 0x01800000;
constexpr std::uint32_t kCounter = TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;
constexpr std::uint32_t kAttributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | kCounter;

Buffer definition(std::uint32_t index) {
  Buffer area;
  proto::ByteWriter writer(area);
  writer.be32(index);
  writer.be16(TPM2_ALG_SHA256);
  writer.be32(kAttributes);
  writer.be16(0);
  writer.be16(8);
  return CommandBuilder(cc::kNvDefineSpace)
      .handle(tpm::kRhOwner)
      .authorization(kPassword)
      .sized({})
      .sized(area)
      .finish();
}

CommandBuilder about(std::uint32_t code, std::uint32_t index) {
  CommandBuilder builder(code);
  builder.handle(tpm::kRhOwner).handle(index).authorization(kPassword);
  return builder;
}

}  // namespace

CounterUser::CounterUser(Simulation& simulation, const UserPlan& plan)
    : SessionUser(simulation, plan),
      index_(kFirstIndex + static_cast<std::uint32_t>(plan.number)) {}

void CounterUser::begin() {
  sim_.board.counters[index_] = plan_.uid;
  later(random_.between(1, 120'000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&CounterUser::start));
}

void CounterUser::start() {
  if (!leaving_ || there_ != There::No) connect();
}

void CounterUser::leave() {
  leaving_ = true;
  if (link_ == nullptr || !link_->is_open()) return start();
  if (waiting_.empty()) step();
}

void CounterUser::on_open() {
  left_ = random_.between(3, 40);
  step();
}

void CounterUser::on_gone() {
  waiting_.clear();
  link_ = nullptr;
  later(random_.between(5, 500) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&CounterUser::start));
}

void CounterUser::go_on() {
  later(leaving_ ? kMillisecond : random_.between(5, 60'000) * kMillisecond,
        static_cast<void (SessionUser::*)()>(&CounterUser::step));
}

void CounterUser::step() {
  if (!open_ || !waiting_.empty()) return;
  if (leaving_ && there_ != There::No) return ask(Op::UndefineCounter);
  if (leaving_ || left_ == 0) {
    close();
    link_ = nullptr;
    if (leaving_) return;
    return later(random_.between(10, 300) * kSecond,
                 static_cast<void (SessionUser::*)()>(&CounterUser::start));
  }
  --left_;
  if (there_ != There::Yes) return ask(Op::DefineCounter);
  if (random_.one_in(40)) return ask(Op::UndefineCounter);
  ask(most_ > 0 && random_.one_in(3) ? Op::ReadCounter : Op::Increment);
}

void CounterUser::ask(Op op) {
  Waiting waiting{.op = op, .thing = nullptr, .saved = {}};
  unsure_ = there_ == There::Perhaps;
  switch (op) {
    case Op::DefineCounter:
      if (!unsure_) least_ = most_ = 0;
      there_ = There::Perhaps;
      return submit(std::move(waiting), definition(index_));
    case Op::UndefineCounter:
      there_ = There::Perhaps;
      return submit(std::move(waiting), about(cc::kUndefineSpace, index_).finish());
    case Op::Increment:
      ++most_;
      return submit(std::move(waiting), about(cc::kNvIncrement, index_).finish());
    default:
      return submit(std::move(waiting), about(cc::kNvRead, index_).u16(8).u16(0).finish());
  }
}

void CounterUser::on_answer(const Waiting&, bool) {
  confused_ = false;
  go_on();
}

void CounterUser::on_success(Waiting& waiting, Bytes response) {
  switch (waiting.op) {
    case Op::DefineCounter:
      there_ = There::Yes;
      least_ = most_ = 0;
      return;
    case Op::UndefineCounter:
      there_ = There::No;
      return;
    case Op::Increment:
      ++least_;
      return;
    default:
      return check_value(waiting, response);
  }
}

// One that was perhaps removed before may be a new one.
void CounterUser::on_status(const Waiting& waiting, std::uint32_t status) {
  if (waiting.op == Op::DefineCounter) least_ = 0;
  SessionUser::on_status(waiting, status);
}

void CounterUser::check_value(const Waiting& waiting, Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(4 + 2);
  const std::uint64_t value = reader.be64();
  if (!reader.ok() || value < least_ || value > most_) {
    return broken("answered-once", waiting,
                  "the counter is " + std::to_string(value) + ", and was counted up between " +
                      std::to_string(least_) + " and " + std::to_string(most_) + " times");
  }
  least_ = most_ = value;
}

// What it was not told of may have been done.
bool CounterUser::excuses(const Waiting& waiting, std::uint32_t code) {
  if (waiting.op == Op::DefineCounter && code == TPM2_RC_NV_DEFINED && unsure_) {
    there_ = There::Yes;
    return true;
  }
  if (waiting.op == Op::UndefineCounter && code == tpm::at_handle(tpm::rc::kHandle, 2) && unsure_) {
    there_ = There::No;
    return true;
  }
  if (waiting.op != Op::ReadCounter || code != TPM2_RC_NV_UNINITIALIZED || least_ > 0) return false;
  most_ = 0;
  return true;
}

void CounterUser::check_end() {
  SessionUser::check_end();
  if (there_ != There::No) {
    sim_.world.broken("returns-to-zero", "a counter could not be removed");
  }
}

}  // namespace tbs::sim
