// What a user sends, and what a TPM of its own would make of it.

#include <array>
#include <utility>

#include "proto/message_codec.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"
#include "tests/sim/simulation.h"
#include "tests/sim/users/session_user.h"

namespace tbs::sim {
namespace {

using proto::Buffer;
using proto::Bytes;
using tpm::CommandBuilder;
namespace cc = tpm::cc;

constexpr std::array<std::uint8_t, 9> kPassword = {0x40, 0, 0, 9, 0, 0, 1, 0, 0};
constexpr std::uint32_t kCancelRequest = 0xFFFF;

}  // namespace

void SessionUser::make(Thing::Kind kind, std::uint32_t priority) {
  auto thing = std::make_shared<Thing>();
  thing->kind = kind;
  thing->made = sim_.world.now();
  const std::uint64_t name = random_.next();
  Buffer seed;
  proto::ByteWriter(seed).be64(name);
  if (kind == Thing::Kind::Key) {
    CommandBuilder command(cc::kCreatePrimary);
    command.handle(tpm::kRhNull).authorization(kPassword).sized(seed).sized({}).sized({}).u32(0);
    Buffer parameters = CommandBuilder(0).sized(seed).sized({}).sized({}).u32(0).finish();
    thing->id = thing->value = model::key(Bytes(parameters).subspan(tpm::kHeaderSize));
    Buffer bytes = command.finish();
    const std::uint64_t tag = digest_of(0, bytes);
    sim_.board.asked[tag] = plan_.uid;
    return submit(
        {.op = Op::MakeKey, .thing = thing, .expected = thing->id, .tag = tag, .saved = {}},
        std::move(bytes), priority);
  }
  if (kind == Thing::Kind::Sequence) {
    Buffer command =
        CommandBuilder(cc::kHashSequenceStart).sized(seed).u16(TPM2_ALG_SHA256).finish();
    thing->value = model::sequence(Bytes(command).subspan(tpm::kHeaderSize));
    return submit({.op = Op::MakeSequence, .thing = thing}, std::move(command), priority);
  }
  CommandBuilder command(cc::kStartAuthSession);
  command.handle(tpm::kRhNull).handle(tpm::kRhNull).sized(seed).sized({}).u8(TPM2_SE_POLICY);
  command.u16(TPM2_ALG_NULL).u16(TPM2_ALG_SHA256);
  submit({.op = Op::MakeSession, .thing = thing}, command.finish(), priority);
}

void SessionUser::sign(const SharedThing& key, std::uint32_t priority) {
  const std::uint64_t tag = mixed(plan_.number << 32 | ++tags_);
  Buffer digest;
  proto::ByteWriter(digest).be64(tag);
  Buffer parameters = CommandBuilder(0).sized(digest).finish();
  Waiting waiting{
      .op = Op::Sign,
      .thing = key,
      .expected = model::signature(key->id, Bytes(parameters).subspan(tpm::kHeaderSize)),
      .tag = tag,
      .saved = {}};
  waiting.high = priority == kHigh;
  sim_.board.asked[tag] = plan_.uid;
  submit(
      std::move(waiting),
      CommandBuilder(cc::kSign).handle(key->handle).authorization(kPassword).sized(digest).finish(),
      priority);
}

void SessionUser::use(const SharedThing& thing, Op op) {
  Buffer data;
  proto::ByteWriter(data).be64(random_.next());
  CommandBuilder builder(0);
  builder.sized(data);
  if (op == Op::Complete) builder.u32(tpm::kRhNull);
  const Buffer parameters = builder.finish();
  const Bytes bytes = Bytes(parameters).subspan(tpm::kHeaderSize);
  Waiting waiting{.op = op, .thing = thing, .expected = thing->value, .saved = {}};
  switch (op) {
    case Op::Update:
    case Op::Complete:
      thing->value = waiting.expected = model::updated(thing->value, bytes);
      if (op == Op::Complete) thing->gone = true;
      return submit(std::move(waiting),
                    CommandBuilder(op == Op::Update ? cc::kSequenceUpdate : cc::kSequenceComplete)
                        .handle(thing->handle)
                        .authorization(kPassword)
                        .bytes(bytes)
                        .finish());
    case Op::Policy:
      thing->value = waiting.expected = model::policy(thing->value, bytes);
      return submit(
          std::move(waiting),
          CommandBuilder(TPM2_CC_PolicyCommandCode).handle(thing->handle).bytes(bytes).finish());
    case Op::PolicyDigest:
      return submit(std::move(waiting),
                    CommandBuilder(TPM2_CC_PolicyGetDigest).handle(thing->handle).finish());
    case Op::Save:
      if (thing->kind == Thing::Kind::Session) thing->saved = true;
      return submit(std::move(waiting), tpm::build::context_save(thing->handle));
    default:
      waiting.expected = thing->id;
      return submit(std::move(waiting), tpm::build::read_public(thing->handle));
  }
}

void SessionUser::load(const Waiting& saved) {
  const SharedThing& thing = saved.thing;
  // A session is the same one afterwards, everything else another one.
  auto made = thing;
  if (thing->kind != Thing::Kind::Session) {
    made = std::make_shared<Thing>(*thing);
    made->waiting = 0;
    made->handle = 0;
    made->gone = false;
    // As it was then.
    if (thing->kind == Thing::Kind::Sequence) made->value = saved.expected;
  }
  submit({.op = Op::Load, .thing = made, .saved = {}}, tpm::build::context_load(saved.saved));
}

void SessionUser::flush(const SharedThing& thing) {
  thing->gone = true;
  submit({.op = Op::Flush, .thing = thing, .saved = {}}, tpm::build::flush_context(thing->handle));
}

void SessionUser::simple(Op op) {
  Waiting waiting{.op = op, .thing = nullptr, .saved = {}};
  switch (op) {
    case Op::Extend:
      return submit(std::move(waiting), CommandBuilder(cc::kPcrExtend)
                                            .handle(16)
                                            .authorization(kPassword)
                                            .u32(1)
                                            .u16(TPM2_ALG_SHA1)
                                            .bytes(Buffer(20))
                                            .finish());
    case Op::ReadPcr:
      return submit(std::move(waiting), CommandBuilder(cc::kPcrRead).u32(0).finish());
    case Op::ListOwn:
      return submit(std::move(waiting),
                    tpm::build::get_capability(tpm::cap::kHandles, tpm::kTransientFirst, 254));
    case Op::ListSessions:
      return submit(std::move(waiting),
                    tpm::build::get_capability(tpm::cap::kHandles, tpm::kLoadedSessionFirst, 254));
    case Op::Nonsense: {
      // What no TPM takes; never one that begins or ends something.
      Buffer command =
          CommandBuilder(random_.one_in(2)
                             ? 0x1A0 + static_cast<std::uint32_t>(random_.below(0x1000))
                             : cc::kSign)
              .u32(static_cast<std::uint32_t>(random_.next()))
              .finish();
      return submit(std::move(waiting), std::move(command));
    }
    default:
      return submit(std::move(waiting), tpm::build::get_random(8));
  }
}

void SessionUser::cancel() {
  if (!open_ || cancel_waits_) return;
  for (auto& [request, waiting] : waiting_) waiting.canceled = true;
  cancel_waits_ = true;
  link_->send(kCancelRequest, proto::Cancel{});
}

}  // namespace tbs::sim
