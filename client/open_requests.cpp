#include "client/open_requests.h"

#include <algorithm>
#include <utility>

#include "client/handshake.h"

namespace tbs::client {

using proto::Status;

void OpenRequests::enter_command(Request& request) {
  if (window_.try_enter()) return enter(request);
  request.id = ++last_id_;
  window_.hold_back(request);
}

void OpenRequests::enter(Request& request) {
  request.id = ++last_id_;
  outstanding_.append(request);
}

std::expected<Request*, Status> OpenRequests::begin_command() {
  if (begun_.size() >= window_.size()) return std::unexpected(Status::TooManyResources);
  begun_.push_back(std::make_unique<Request>());
  if (!window_.try_enter()) {
    begun_.pop_back();
    return std::unexpected(Status::TooManyResources);
  }
  enter(*begun_.back());
  return begun_.back().get();
}

Request* OpenRequests::begun(std::uint64_t id) {
  const auto at = std::ranges::find(begun_, id, [](const auto& each) { return each->id; });
  return at == begun_.end() ? nullptr : at->get();
}

void OpenRequests::forget(const Request& request) {
  std::erase_if(begun_, [&](const auto& each) { return each.get() == &request; });
}

void OpenRequests::abandon(Request& request) {
  request.abandoned = true;
  forget_abandoned();
}

void OpenRequests::forget_abandoned() {
  std::erase_if(begun_, [](const auto& each) {
    return each->abandoned && each->state == RequestState::Done;
  });
}

std::uint64_t OpenRequests::post_cancel(RequestKind kind) {
  std::erase_if(posted_, [](const auto& each) { return each->state == RequestState::Done; });
  posted_.push_back(std::make_unique<Request>());
  posted_.back()->kind = kind;
  enter(*posted_.back());
  return posted_.back()->id;
}

// Success, or why the connection has to end.
Status OpenRequests::dispatch(const proto::Frame& frame) {
  switch (frame.type) {
    case proto::Type::Result:
      return finish_command(frame);
    case proto::Type::CancelReply:
      return finish_asked<proto::CancelReply>(frame, RequestKind::Cancel);
    case proto::Type::CancelCommandReply:
      return finish_asked<proto::CancelCommandReply>(frame, RequestKind::CancelCommand);
    case proto::Type::MakeStickyReply:
      return finish_asked<proto::MakeStickyReply>(frame, RequestKind::MakeSticky);
    case proto::Type::LogPart:
    case proto::Type::PhysicalPresenceReply:
    case proto::Type::InheritObjectsReply:
    case proto::Type::OwnerAuthReply:
    case proto::Type::RevokeAttestationReply:
      return finish_question(frame);
    default:
      return status_of_stray(frame);
  }
}

// Once the connection has ended, what still comes is of no interest.
Status OpenRequests::unknown_request() const {
  return ended_ ? Status::Success : Status::InternalError;
}

Status OpenRequests::finish_command(const proto::Frame& frame) {
  const auto result = proto::decode<proto::Result>(frame.payload);
  Request* const request = outstanding_.take(frame.request_id);
  if (request == nullptr) return unknown_request();
  const bool plausible = result && request->kind == RequestKind::Command &&
                         (result->status != Status::Success || !result->response.empty());
  if (plausible) {
    request->finish(result->status, result->response);
  } else {
    request->finish(Status::InternalError, {});
  }
  if (request->kind == RequestKind::Command) leave_window();
  if (request->abandoned) forget_abandoned();
  return plausible ? Status::Success : Status::InternalError;
}

template <typename Reply>
Status OpenRequests::finish_asked(const proto::Frame& frame, RequestKind kind) {
  const auto reply = proto::decode<Reply>(frame.payload);
  Request* const request = outstanding_.take(frame.request_id);
  if (request == nullptr) return unknown_request();
  const bool plausible = reply && request->kind == kind;
  request->finish(plausible ? reply->status : Status::InternalError, {});
  return plausible ? Status::Success : Status::InternalError;
}

Status OpenRequests::finish_question(const proto::Frame& frame) {
  Request* const request = outstanding_.take(frame.request_id);
  if (request == nullptr) return unknown_request();
  const bool plausible = request->kind == RequestKind::Question && request->reply == frame.type;
  if (plausible) {
    request->finish(Status::Success, frame.payload);
  } else {
    request->finish(Status::InternalError, {});
  }
  if (request->kind == RequestKind::Command) leave_window();
  return plausible ? Status::Success : Status::InternalError;
}

void OpenRequests::leave_window() {
  Request* const next = window_.leave();
  if (next == nullptr) return;
  next->state = RequestState::Outstanding;
  outstanding_.append(*next);
  if (next->waiting) next->wake.notify_one();
}

void OpenRequests::give_up_held_back(Status why) {
  while (Request* const request = window_.give_up()) request->finish(why, {});
}

bool OpenRequests::end(Status why, Status of_commands) {
  if (ended_) return false;
  ended_ = why;
  while (Request* const request = outstanding_.take_first()) {
    request->finish(request->kind == RequestKind::Command ? of_commands : why, {});
  }
  give_up_held_back(why);
  forget_abandoned();
  return true;
}

bool OpenRequests::result_ready() const {
  return std::ranges::any_of(
      begun_, [](const auto& each) { return each->state == RequestState::Done && !each->awaited; });
}

bool OpenRequests::result_awaited() const {
  return std::ranges::any_of(begun_, [](const auto& each) {
    return each->state == RequestState::Outstanding && !each->abandoned;
  });
}

Request* OpenRequests::sleeper() const {
  Request* const outstanding = outstanding_.sleeper();
  return outstanding != nullptr ? outstanding : window_.held_back().sleeper();
}

}  // namespace tbs::client
