#include "tests/sim/users/session_user.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "proto/message_codec.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/sim/simulation.h"

namespace tbs::sim {
namespace {

using proto::Buffer;
using proto::Bytes;
using tpm::CommandBuilder;
namespace cc = tpm::cc;

constexpr Time kLongestWait = 4 * kMinute;
// Commands of others that may begin between one of high priority and it: one that was next when it
// came, and one that has waited so long that it counts as more.
constexpr std::uint64_t kBeforeHigh = 2;
constexpr std::array<std::uint8_t, 9> kPassword = {0x40, 0, 0, 9, 0, 0, 1, 0, 0};
constexpr std::uint32_t kCancelRequest = 0xFFFF;

std::string text_of(std::uint32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", static_cast<unsigned>(number));
  return text.data();
}

constexpr std::array kOpNames = {
    "CreatePrimary",   "HashSequenceStart", "StartAuthSession", "Sign",
    "ReadPublic",      "SequenceUpdate",    "SequenceComplete", "PolicyCommandCode",
    "PolicyGetDigest", "ContextSave",       "ContextLoad",      "FlushContext",
    "GetRandom",       "PCR_Extend",        "PCR_Read",         "GetCapability",
    "nonsense"};

bool names_unknown(std::uint32_t code) {
  const std::uint32_t bare = code & ~tpm::rc::kResourceManagerLayer;
  return bare == tpm::at_handle(tpm::rc::kHandle, 1) ||
         bare == tpm::at_parameter(tpm::rc::kHandle, 1) || bare == tpm::rc::kReferenceH0 ||
         bare == tpm::at_parameter(tpm::rc::kIntegrity, 1);
}

}  // namespace

SessionUser::SessionUser(Simulation& simulation, const UserPlan& plan)
    : sim_(simulation),
      plan_(plan),
      random_(Random(simulation.plan().seed).fork(plan.number + 1)) {}

void SessionUser::broken(const char* invariant, const Waiting& waiting, const std::string& what) {
  sim_.world.broken(invariant, "user " + std::to_string(plan_.number) + ", " +
                                   kOpNames.at(static_cast<std::size_t>(waiting.op)) + ": " + what);
}

void SessionUser::later(Time delay, void (SessionUser::*what)()) {
  sim_.world.after(delay, [this, what, link = link_] {
    if (link == link_) (this->*what)();
  });
}

void SessionUser::connect() {
  number_ = sim_.next_link();
  things_.clear();
  waiting_.clear();
  seen_extended_ = 0;
  cancel_waits_ = confused_ = false;
  link_ = std::make_shared<Link>(
      sim_, number_,
      Link::Events{.frame = [this](const proto::Frame& frame) { on_frame(frame); },
                   .closed = [this] { on_closed(); }});
  open_ = false;
  connected_ = sim_.world.now();
  link_->connect(plan_.uid, server::everybodys_profile());
  link_->send(++requests_, proto::Hello{});
}

void SessionUser::close() {
  if (link_ == nullptr) return;
  // Nobody will know whether what was under way was done.
  for (const auto& [request, waiting] : waiting_) {
    if (waiting.op == Op::Extend) ++sim_.board.maybe_extended;
  }
  link_->close();
  open_ = false;
  waiting_.clear();
  things_.clear();
}

void SessionUser::on_closed() {
  const bool was_open = std::exchange(open_, false);
  // Who has had no answer to its hello knows nothing yet of a process that goes on for another one.
  if (was_open) {
    sim_.world.broken(sim_.last_restart() > connected_ ? "restart-unseen" : "open-to-honest",
                      "user " + std::to_string(plan_.number) + " was disconnected");
  } else if (sim_.last_restart() < connected_) {
    sim_.world.broken("open-to-honest",
                      "user " + std::to_string(plan_.number) + " was disconnected at its hello");
  }
  on_gone();
}

void SessionUser::on_frame(const proto::Frame& frame) {
  switch (frame.type) {
    case proto::Type::HelloReply:
      return on_hello(frame);
    case proto::Type::Result:
      return on_result(frame.request_id, frame.payload);
    case proto::Type::CancelReply:
      if (!std::exchange(cancel_waits_, false)) {
        sim_.world.broken("answered-once", "a reply to a cancel that was not sent");
      }
      return;
    default:
      sim_.world.broken("open-to-honest", "user " + std::to_string(plan_.number) +
                                              " was sent a message of type " +
                                              text_of(proto::number_of(frame.type)));
  }
}

void SessionUser::on_hello(const proto::Frame& frame) {
  const auto reply = proto::decode<proto::HelloReply>(frame.payload);
  if (open_ || !reply || reply->status != proto::Status::Success || reply->context == 0) {
    return sim_.world.broken("open-to-honest", "a hello was not answered with a context");
  }
  open_ = true;
  on_open();
}

void SessionUser::submit(Waiting waiting, Buffer command, std::uint32_t priority) {
  if (!open_) return;
  waiting.sent = sim_.world.now();
  waiting.begun_before = sim_.board.begun;
  if (waiting.thing != nullptr) ++waiting.thing->waiting;
  const std::uint64_t request = ++requests_;
  waiting_.emplace(request, std::move(waiting));
  link_->send(request, proto::Submit{.priority = priority, .command = command});
}

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
    return submit({.op = Op::MakeKey, .thing = thing, .expected = thing->id}, command.finish(),
                  priority);
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
  sim_.board.signing[tag] = plan_.uid;
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

void SessionUser::on_result(std::uint64_t request, Bytes payload) {
  const auto found = waiting_.find(request);
  if (found == waiting_.end()) {
    return sim_.world.broken("answered-once", "user " + std::to_string(plan_.number) +
                                                  " got an answer to what waits for none");
  }
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  sim_.answered();
  sim_.board.signing.erase(waiting.tag);
  if (waiting.thing != nullptr) --waiting.thing->waiting;
  const auto result = proto::decode<proto::Result>(payload);
  if (!result) return broken("answered-once", waiting, "a result that makes no sense");
  bool good = false;
  if (result->status != proto::Status::Success) {
    on_status(waiting, static_cast<std::uint32_t>(result->status));
  } else if (const auto header = proto::read_tpm_header(result->response)) {
    good = header->code == tpm::rc::kSuccess;
    if (good) {
      on_success(waiting, result->response.subspan(tpm::kHeaderSize));
    } else if (!excuses(waiting, header->code)) {
      broken("private-tpm", waiting, "answered with " + text_of(header->code));
    }
  } else {
    broken("private-tpm", waiting, "a response that is none");
  }
  if (open_) on_answer(waiting, good);
}

// It may have been done, or not.
void SessionUser::on_status(const Waiting& waiting, std::uint32_t status) {
  if (waiting.op == Op::Extend) ++sim_.board.maybe_extended;
  if (waiting.thing != nullptr) {
    waiting.thing->doubtful = true;
    waiting.thing->gone = waiting.op == Op::MakeKey || waiting.op == Op::MakeSequence ||
                          waiting.op == Op::MakeSession || waiting.thing->gone;
  }
  const bool canceled =
      status == static_cast<std::uint32_t>(proto::Status::CommandCanceled) && waiting.canceled;
  if (canceled || confused_) return;
  if (sim_.troubled_since(waiting.sent)) {
    confused_ = true;
    return;
  }
  broken("private-tpm", waiting, "ended with the status " + text_of(status));
}

bool SessionUser::excuses(const Waiting& waiting, std::uint32_t code) {
  if (waiting.op == Op::Nonsense) return true;
  if (waiting.thing != nullptr && waiting.thing->lost) return true;
  // What a failed device has taken along.
  const bool lost = waiting.thing != nullptr && sim_.last_trouble() >= waiting.thing->made;
  if (lost && names_unknown(code)) {
    forget(waiting.thing);
    confused_ = true;
  }
  return confused_;
}

void SessionUser::on_success(Waiting& waiting, Bytes response) {
  proto::ByteReader reader(response);
  const SharedThing& thing = waiting.thing;
  switch (waiting.op) {
    case Op::MakeKey:
    case Op::MakeSequence:
    case Op::MakeSession:
      thing->handle = reader.be32();
      took_handle(waiting);
      things_.push_back(thing);
      if (waiting.op == Op::MakeSession) {
        sim_.board.add({.uid = plan_.uid, .handle = thing->handle, .saved = {}}, random_);
      } else if (tpm::handle_type(thing->handle) != tpm::HandleType::Transient) {
        broken("private-tpm", waiting, "no transient handle");
      }
      if (waiting.op == Op::MakeKey) compare(waiting, reader);
      return;
    case Op::Load: {
      const std::uint32_t handle = reader.be32();
      if (thing->kind == Thing::Kind::Session) {
        if (handle != thing->handle) broken("private-tpm", waiting, "another session");
        thing->saved = false;
        return;
      }
      thing->handle = handle;
      took_handle(waiting);
      things_.push_back(thing);
      return;
    }
    case Op::Save:
      waiting.saved.assign(response.begin(), response.end());
      if (thing->kind == Thing::Kind::Session) {
        sim_.board.add({.uid = plan_.uid, .handle = thing->handle, .saved = waiting.saved},
                       random_);
      }
      return;
    case Op::Sign:
    case Op::ReadPublic:
    case Op::Complete:
    case Op::PolicyDigest:
      compare(waiting, reader);
      if (waiting.op == Op::Complete) forget(thing);
      return;
    case Op::Flush:
      return forget(thing);
    case Op::Extend:
      ++sim_.board.extended;
      return;
    case Op::ReadPcr: {
      reader.skip(2);
      const std::uint64_t value = reader.be64();
      if (value < seen_extended_) broken("private-tpm", waiting, "a PCR has gone back");
      seen_extended_ = value;
      return;
    }
    case Op::ListOwn:
      return check_own(waiting, response);
    default:
      return;
  }
}

// A handle comes again when a failed device has taken along what had it, though nobody has noticed:
// what was sent to the old one has come to the new one.
void SessionUser::took_handle(const Waiting& waiting) {
  for (const SharedThing& other : std::vector(things_)) {
    if (other->handle != waiting.thing->handle) continue;
    // Sessions of who has most of them are flushed when nobody else has any to spare.
    const bool given_up = plan_.kind == Kind::Clumsy && other->kind == Thing::Kind::Session;
    if (!given_up && sim_.last_trouble() < other->made && !other->doubtful) {
      return broken("private-tpm", waiting, "a handle that it has already");
    }
    other->lost = other->doubtful = waiting.thing->doubtful = true;
    confused_ = !given_up;
    forget(other);
  }
}

// The number that the response has, behind the size of the parameters where it has a session.
void SessionUser::compare(const Waiting& waiting, proto::ByteReader& reader) {
  const bool sized = waiting.op != Op::ReadPublic && waiting.op != Op::PolicyDigest;
  if (sized) reader.skip(4);
  reader.skip(2);
  const std::uint64_t value = reader.be64();
  if (!reader.ok()) return broken("private-tpm", waiting, "a response that is too short");
  // What a key is cannot change, whatever was under way.
  const bool constant = waiting.thing->kind == Thing::Kind::Key && !waiting.thing->lost;
  if (value != waiting.expected && !confused_ && (constant || !waiting.thing->doubtful)) {
    broken("private-tpm", waiting, "another value than on a TPM of its own");
  }
  if (waiting.high) check_high(waiting);
}

void SessionUser::check_high(const Waiting& waiting) {
  const auto begun = sim_.board.high_begun.find(waiting.tag);
  if (begun == sim_.board.high_begun.end()) return;
  const std::uint64_t before = begun->second - waiting.begun_before - 1;
  sim_.board.high_begun.erase(begun);
  if (sim_.troubled_since(waiting.sent) || sim_.last_restart() + kMinute >= waiting.sent) return;
  if (before > kBeforeHigh) {
    broken("high-waits-one", waiting, std::to_string(before) + " commands of others came first");
  }
}

// Its own objects, and no other.
void SessionUser::check_own(const Waiting& waiting, Bytes response) {
  const auto list = tpm::parse_words(response, tpm::cap::kHandles);
  if (!list) return broken("private-tpm", waiting, "no list of handles");
  for (const std::uint32_t handle : list->items) {
    const bool own = std::ranges::any_of(
        things_, [&](const SharedThing& each) { return each->handle == handle; });
    // What is being made, or nobody knows about, has no handle here yet.
    const bool unknown = !waiting_.empty() || sim_.troubled_since(waiting.sent) || waiting.canceled;
    if (!own && !unknown && !leaving_ && plan_.kind == Kind::Honest) {
      broken("no-crossing", waiting, "it is shown " + text_of(handle));
    }
  }
}

SharedThing SessionUser::some(Thing::Kind kind, bool idle) {
  std::vector<SharedThing> fitting;
  for (const SharedThing& thing : things_) {
    if (thing->kind != kind || thing->gone || thing->saved) continue;
    if (idle && thing->waiting > 0) continue;
    fitting.push_back(thing);
  }
  return fitting.empty() ? nullptr : fitting[random_.below(fitting.size())];
}

void SessionUser::forget(const SharedThing& thing) {
  thing->gone = true;
  std::erase(things_, thing);
}

void SessionUser::check_waits() {
  const Time now = sim_.world.now();
  for (const auto& [request, waiting] : waiting_) {
    const Time since = std::max(waiting.sent, sim_.last_trouble());
    if (now > since + kLongestWait) broken("no-starvation", waiting, "not answered for minutes");
  }
}

void SessionUser::check_end() {
  if (!waiting_.empty()) broken("answered-once", waiting_.begin()->second, "never answered");
  if (cancel_waits_ && open_) sim_.world.broken("answered-once", "a cancel was never answered");
}

}  // namespace tbs::sim
