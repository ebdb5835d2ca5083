#include "client/tcti/tcti_connection.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "client/descriptor.h"
#include "client/socket_path.h"
#include "client/tcti/tcti_log.h"
#include "client/tcti/tcti_status.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

namespace tbs::tcti {

using proto::Status;

namespace {

std::string text_of(Status status) {
  return std::string(proto::status_text(status)) + " (" + std::string(proto::status_name(status)) +
         ")";
}

client::Deadline deadline_after(std::int32_t timeout) {
  if (timeout == TSS2_TCTI_TIMEOUT_BLOCK) return std::nullopt;
  return client::Clock::now() + std::chrono::milliseconds(timeout);
}

constexpr std::uint64_t kNeverBegun = 0;

bool is_locality(std::uint8_t locality) {
  return locality <= 4 || locality >= 32;
}

}  // namespace

// The connection is closed and not shut down: children may hold on to it.
Session::~Session() {
  leave_parent();
}

std::optional<client::Inheritance> Session::for_children() const {
  const client::LibraryLock lock;
  return for_children_;
}

void Session::note_inheritance() {
  const auto current = context_->inheritance();
  const client::LibraryLock lock;
  for_children_ = current;
}

void Session::leave_parent() {
  if (from_) client::Descriptor::close_inherited(from_->label());
  from_.reset();
}

void Session::inherit() {
  const Status status = from_ ? context_->inherit(*from_) : Status::AccessDenied;
  const std::string process = "process " + std::to_string(::getpid()) +
                              " inherited this connection by fork; it gets one of its own, ";
  if (status == Status::Success) {
    log(LogLevel::Info, process + "with copies of the parent's objects, and without its sessions");
    return;
  }
  log(LogLevel::Warning,
      process + "on which the parent's objects and sessions do not exist: " + text_of(status));
  leave_parent();
}

TSS2_RC Session::connect() {
  return connection_code(first_connection());
}

Status Session::first_connection() {
  if (context_) return Status::Success;
  std::string path = client::chosen_socket(config_.socket);
  auto context = client::Context::open(path, proto::kWantTpm20, client::Forks::Copies);
  if (!context) {
    if (path.empty()) path = client::socket_path();
    log(LogLevel::Error, path + ": " + text_of(context.error()));
    return context.error();
  }
  context_ = *std::move(context);
  if (forked_) inherit();
  note_inheritance();
  return Status::Success;
}

void Session::note_reconnection() {
  const std::uint32_t reconnections = context_->reconnections();
  if (std::exchange(known_reconnections_, reconnections) == reconnections) return;
  note_inheritance();
  log(LogLevel::Warning,
      "connected to tbsd again; objects and sessions of the lost connection do not exist any more");
}

TSS2_RC Session::transmit(proto::Bytes command) {
  if (request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (!proto::read_tpm_header(command)) return TSS2_TCTI_RC_BAD_VALUE;
  const bool fits =
      !context_ ||
      command.size() <= std::min<std::size_t>(context_->terms().max_command, proto::kMaxTpmMessage);
  if (!fits) return TSS2_TCTI_RC_BAD_VALUE;
  const auto request = begin(command);
  if (!request) {
    log(LogLevel::Error, "a command could not be sent to tbsd: " + text_of(request.error()));
    substitute(request.error());
  }
  set_request(request.value_or(kNeverBegun));
  return TSS2_RC_SUCCESS;
}

std::expected<std::uint64_t, Status> Session::begin(proto::Bytes command) {
  if (const Status failed = first_connection(); failed != Status::Success) {
    return std::unexpected(failed);
  }
  auto request = context_->begin({locality_, config_.priority, command});
  note_reconnection();
  return request;
}

TSS2_RC Session::receive(std::uint8_t* response, std::size_t& size, std::int32_t timeout) {
  if (!request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (!substitute_.empty()) return deliver_substitute(response, size);
  const std::span<std::uint8_t> room(response, response == nullptr ? 0 : size);
  std::size_t needed = 0;
  const auto status = context_->take(*request_, room, needed, deadline_after(timeout));
  if (!status) return TSS2_TCTI_RC_TRY_AGAIN;
  if (*status == Status::Success || *status == Status::InsufficientBuffer) size = needed;
  return deliver(*status, response, size);
}

TSS2_RC Session::deliver(Status status, std::uint8_t* response, std::size_t& size) {
  if (status == Status::InsufficientBuffer) {
    return response == nullptr ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  }
  if (status != Status::Success) {
    const bool expected = status == Status::CommandCanceled;
    log(expected ? LogLevel::Info : LogLevel::Warning,
        "a command has no response: " + text_of(status));
    substitute(status);
    return deliver_substitute(response, size);
  }
  // The daemon has made the copies with the first command.
  leave_parent();
  set_request(std::nullopt);
  return TSS2_RC_SUCCESS;
}

void Session::substitute(Status status) {
  substitute_ = proto::tpm_error_response(tpm::kTagNoSessions, response_code(status));
  shown_ = context_ != nullptr;
  if (shown_) context_->show_result();
}

TSS2_RC Session::deliver_substitute(std::uint8_t* response, std::size_t& size) {
  const std::size_t room = std::exchange(size, substitute_.size());
  if (response == nullptr) return TSS2_RC_SUCCESS;
  if (room < substitute_.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::ranges::copy(substitute_, response);
  substitute_.clear();
  if (std::exchange(shown_, false)) context_->hide_result();
  set_request(std::nullopt);
  return TSS2_RC_SUCCESS;
}

void Session::set_request(std::optional<std::uint64_t> request) {
  const std::lock_guard lock(mutex_);
  request_ = request;
}

TSS2_RC Session::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (!request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
    if (*request_ == kNeverBegun) return TSS2_RC_SUCCESS;
  }
  return connection_code(context_->cancel());
}

TSS2_RC Session::set_locality(std::uint8_t locality) {
  if (request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (!is_locality(locality)) return TSS2_TCTI_RC_BAD_VALUE;
  locality_ = locality;
  return TSS2_RC_SUCCESS;
}

TSS2_RC Session::make_sticky(TPM2_HANDLE handle, bool sticky) {
  if (request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (const TSS2_RC failed = connect(); failed != TSS2_RC_SUCCESS) return failed;
  const Status status = context_->make_sticky(handle, sticky);
  note_reconnection();
  return connection_code(status);
}

TSS2_RC Session::poll_handle(TSS2_TCTI_POLL_HANDLE& handle) {
  if (const TSS2_RC failed = connect(); failed != TSS2_RC_SUCCESS) return failed;
  const int descriptor = context_->poll_descriptor();
  if (descriptor < 0) return TSS2_TCTI_RC_IO_ERROR;
  handle = {.fd = descriptor, .events = POLLIN, .revents = 0};
  return TSS2_RC_SUCCESS;
}

}  // namespace tbs::tcti
