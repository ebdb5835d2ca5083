#include "client/tbsctl/bridge/tpm_context.h"

#include <array>
#include <utility>

#include <sys/epoll.h>

#include "proto/limits.h"

namespace tbs::ctl::bridge {

using proto::Status;

TpmContext::~TpmContext() {
  close();
}

void TpmContext::submit(Owner owner, TpmCommand command, Done done) {
  waiting_.push_back({.owner = owner, .command = std::move(command), .done = std::move(done)});
  // Not at once: `done` must not be called from in here.
  access_.reactor->post([self = weak_from_this()] {
    if (const auto context = self.lock()) context->advance();
  });
}

void TpmContext::advance() {
  if (current_ || cancelling_) return;
  if (power_off_due_ && flushes_saved_session()) return;
  if (std::exchange(power_off_due_, false)) close();
  if (waiting_.empty()) return;
  if (state_ == State::Closed) open();
  if (state_ == State::Open) begin();
}

// Closing the context leaves them to whoever has the saved context.
bool TpmContext::flushes_saved_session() {
  if (state_ != State::Open) return false;
  auto flush = saved_sessions_.take_flush();
  if (!flush) return false;
  waiting_.push_front({.owner = nullptr, .command = {.bytes = *std::move(flush)}, .done = nullptr});
  begin();
  return true;
}

void TpmContext::open() {
  state_ = State::Opening;
  access_.helper->run([self = weak_from_this(), socket = access_.socket]() -> Reactor::Task {
    TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = 0};
    params.includeTpm12 = params.includeTpm20 = 1;
    TBS_HCONTEXT handle = nullptr;
    const TBS_RESULT result =
        Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                            socket.empty() ? nullptr : socket.c_str(), &handle);
    return [self, result, handle] {
      if (const auto context = self.lock()) return context->on_opened(result, handle);
      if (handle != nullptr) Tbsip_Context_Close(handle);
    };
  });
}

void TpmContext::on_opened(TBS_RESULT result, TBS_HCONTEXT handle) {
  state_ = State::Closed;
  if (result != TBS_SUCCESS) return fail_all(static_cast<Status>(result));
  handle_ = handle;
  state_ = State::Open;
  if (!watch_results()) return close(), fail_all(Status::InternalError);
  advance();
}

bool TpmContext::watch_results() {
  int descriptor = -1;
  if (Tbsx_Get_Poll_Descriptor(handle_, &descriptor) != TBS_SUCCESS) return false;
  // Only while a command is under way: there is nothing else that it could tell.
  access_.reactor->watch(descriptor, 0, [self = weak_from_this()](std::uint32_t) {
    if (const auto context = self.lock()) context->on_readable();
  });
  poll_ = descriptor;
  return true;
}

void TpmContext::close() {
  if (state_ != State::Open) return;
  if (poll_ >= 0) access_.reactor->forget(std::exchange(poll_, -1));
  Tbsip_Context_Close(std::exchange(handle_, nullptr));
  saved_sessions_.clear();
  state_ = State::Closed;
}

void TpmContext::fail_all(Status why) {
  for (Job& job : std::exchange(waiting_, {})) {
    if (job.done) job.done(why, {});
  }
}

void TpmContext::begin() {
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  const TpmCommand& command = current_->command;
  const TBS_RESULT result =
      Tbsx_Submit_Begin(handle_, command.locality, access_.priority, command.bytes.data(),
                        static_cast<UINT32>(command.bytes.size()), &request_);
  if (result == TBS_SUCCESS) return access_.reactor->change(poll_, EPOLLIN);
  const auto status = static_cast<Status>(result);
  if (status == Status::ServiceNotRunning && access_.reopens && !current_->sent_again) {
    return reopen();
  }
  finish(status, {});
}

void TpmContext::reopen() {
  current_->sent_again = true;
  waiting_.push_front(*std::exchange(current_, std::nullopt));
  close();
  open();
}

void TpmContext::on_readable() {
  if (!current_) return;
  std::array<BYTE, proto::kMaxTpmMessage> response;
  UINT32 size = response.size();
  const TBS_RESULT result = Tbsx_Submit_Result(handle_, request_, response.data(), &size, 0);
  if (result == TBSX_E_PENDING) return;
  access_.reactor->change(poll_, 0);
  if (result != TBS_SUCCESS) return finish(static_cast<Status>(result), {});
  finish(Status::Success, {response.data(), response.data() + size});
}

void TpmContext::finish(Status status, proto::Buffer response) {
  const auto self = shared_from_this();  // `done` may drop the last other reference
  if (status == Status::ServiceNotRunning) close();
  Job job = *std::exchange(current_, std::nullopt);
  if (status == Status::Success) saved_sessions_.note(job.command.bytes, response);
  if (job.done) job.done(status, std::move(response));
  advance();
}

void TpmContext::cancel_current() {
  if (cancelling_) return;
  cancelling_ = true;
  access_.helper->run([self = weak_from_this(), handle = handle_]() -> Reactor::Task {
    Tbsip_Cancel_Commands(handle);
    return [self] {
      const auto context = self.lock();
      if (!context) return;
      context->cancelling_ = false;
      context->advance();
    };
  });
}

void TpmContext::cancel(Owner owner) {
  if (current_ && current_->owner == owner) cancel_current();
  for (Job& job : waiting_) {
    if (job.owner != owner) continue;
    access_.reactor->post(
        [done = std::move(job.done)]() mutable { done(Status::CommandCanceled, {}); });
  }
  std::erase_if(waiting_, [&](const Job& job) { return job.owner == owner; });
}

void TpmContext::power_off() {
  started_ = false;
  if (state_ != State::Open) return;  // it owns nothing yet
  power_off_due_ = true;
  if (current_ && current_->owner != nullptr) cancel_current();
  advance();
}

void TpmContext::withdraw(Owner owner) {
  std::erase_if(waiting_, [&](const Job& job) { return job.owner == owner; });
  if (!current_ || current_->owner != owner) return;
  current_->owner = nullptr;
  current_->done = nullptr;
  cancel_current();
}

}  // namespace tbs::ctl::bridge
