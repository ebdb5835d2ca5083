#include "tests/sim/users/session_user.h"

#include <algorithm>
#include <utility>

#include "proto/message_codec.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/sim/simulation.h"

namespace tbs::sim {

using proto::Buffer;
using proto::Bytes;

SessionUser::SessionUser(Simulation& simulation, const UserPlan& plan)
    : sim_(simulation),
      plan_(plan),
      random_(Random(simulation.plan().seed).fork(plan.number + 1)) {}

void SessionUser::broken(const char* invariant, const Waiting& waiting, const std::string& what) {
  sim_.world.broken(
      invariant, "user " + std::to_string(plan_.number) + ", " + name_of(waiting.op) + ": " + what);
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
  cancel_waits_ = confused_ = more_made_ = false;
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
      if (on_message(frame)) return;
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
  context_ = reply->context;
  token_.assign(reply->token.begin(), reply->token.end());
  on_open();
}

void SessionUser::submit(Waiting waiting, Buffer command, std::uint32_t priority) {
  if (!open_) return;
  waiting.sent = sim_.world.now();
  waiting.begun_before = sim_.board.begun;
  waiting.put_off_before = sim_.put_off();
  if (waiting.thing != nullptr) ++waiting.thing->waiting;
  const std::uint64_t request = ++requests_;
  waiting_.emplace(request, std::move(waiting));
  link_->send(request, proto::Submit{.priority = priority, .command = command});
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
  sim_.board.asked.erase(waiting.tag);
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
    const bool makes = waiting.op == Op::MakeKey || waiting.op == Op::MakeSequence ||
                       waiting.op == Op::MakeSession || waiting.op == Op::Load;
    more_made_ = more_made_ || makes;
    waiting.thing->gone = waiting.thing->gone || (makes && waiting.op != Op::Load);
  }
  const bool canceled =
      status == static_cast<std::uint32_t>(proto::Status::CommandCanceled) && waiting.canceled;
  if (canceled || confused_) return;
  // All that a device which fails may be told of.
  const bool of_device = status == static_cast<std::uint32_t>(proto::Status::IoError) ||
                         status == static_cast<std::uint32_t>(proto::Status::TpmNotFound);
  if (of_device && sim_.troubled_since(waiting.sent)) {
    confused_ = true;
    return;
  }
  broken("private-tpm", waiting, "ended with the status " + text_of(status));
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
    case Op::ListSessions:
      return check_own(waiting, response);
    default:
      return;
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

}  // namespace tbs::sim
