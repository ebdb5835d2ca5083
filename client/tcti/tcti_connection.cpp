#include "client/tcti/tcti_connection.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <poll.h>

#include "client/socket_path.h"
#include "client/tcti/tcti_log.h"
#include "client/tcti/tcti_status.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

namespace tbs::tcti {

using client::Channel;
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

bool is_locality(std::uint8_t locality) {
  return locality <= 4 || locality >= 32;
}

}  // namespace

Session::~Session() {
  if (channel_) channel_->close();
}

TSS2_RC Session::connect() {
  if (channel_) return TSS2_RC_SUCCESS;
  const std::string path = client::socket_path(config_.socket);
  auto channel = client::open_channel(path, proto::kWantTpm20);
  if (!channel) {
    log(LogLevel::Error, path + ": " + text_of(channel.error()));
    return connection_code(channel.error());
  }
  if (std::exchange(lost_, false)) {
    log(LogLevel::Warning,
        "connected to tbsd again; objects and sessions of the lost connection do not exist any "
        "more");
  }
  const std::lock_guard lock(mutex_);
  channel_ = std::move(*channel);
  return TSS2_RC_SUCCESS;
}

TSS2_RC Session::lose_connection(Status why) {
  log(LogLevel::Error, "the connection to tbsd is lost: " + text_of(why));
  const std::lock_guard lock(mutex_);
  request_.reset();
  channel_.reset();
  lost_ = true;
  return connection_code(why);
}

TSS2_RC Session::transmit(proto::Bytes command) {
  if (request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (!proto::read_tpm_header(command)) return TSS2_TCTI_RC_BAD_VALUE;
  if (const TSS2_RC failed = connect(); failed != TSS2_RC_SUCCESS) return failed;
  if (command.size() >
      std::min<std::size_t>(channel_->terms().max_command, proto::kMaxTpmMessage)) {
    return TSS2_TCTI_RC_BAD_VALUE;
  }
  const auto request = channel_->begin({locality_, config_.priority, command});
  if (!request) return lose_connection(request.error());
  substitute_.clear();
  const std::lock_guard lock(mutex_);
  request_ = *request;
  return TSS2_RC_SUCCESS;
}

TSS2_RC Session::receive(std::uint8_t* response, std::size_t& size, std::int32_t timeout) {
  if (!request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
  if (!substitute_.empty()) return deliver_substitute(response, size);
  const std::span<std::uint8_t> room(response, response == nullptr ? 0 : size);
  std::size_t needed = 0;
  const auto status = channel_->take(*request_, room, needed, deadline_after(timeout));
  if (!status) return TSS2_TCTI_RC_TRY_AGAIN;
  if (*status == Status::Success || *status == Status::InsufficientBuffer) size = needed;
  return deliver(*status, response, size);
}

TSS2_RC Session::deliver(Status status, std::uint8_t* response, std::size_t& size) {
  if (status == Status::InsufficientBuffer) {
    return response == nullptr ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  }
  if (status != Status::Success) {
    const auto code = response_code(status);
    if (!code || channel_->ended()) return lose_connection(status);
    log(LogLevel::Info, "a command has no response: " + text_of(status));
    substitute_ = proto::tpm_error_response(tpm::kTagNoSessions, *code);
    return deliver_substitute(response, size);
  }
  const std::lock_guard lock(mutex_);
  request_.reset();
  return TSS2_RC_SUCCESS;
}

TSS2_RC Session::deliver_substitute(std::uint8_t* response, std::size_t& size) {
  const std::size_t room = std::exchange(size, substitute_.size());
  if (response == nullptr) return TSS2_RC_SUCCESS;
  if (room < substitute_.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::ranges::copy(substitute_, response);
  const std::lock_guard lock(mutex_);
  request_.reset();
  return TSS2_RC_SUCCESS;
}

TSS2_RC Session::cancel() {
  std::shared_ptr<Channel> channel;
  {
    const std::lock_guard lock(mutex_);
    if (!request_) return TSS2_TCTI_RC_BAD_SEQUENCE;
    channel = channel_;
  }
  return connection_code(channel->cancel());
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
  const Status status = channel_->make_sticky(handle, sticky);
  return channel_->ended() ? lose_connection(status) : connection_code(status);
}

TSS2_RC Session::poll_handle(TSS2_TCTI_POLL_HANDLE& handle) {
  if (const TSS2_RC failed = connect(); failed != TSS2_RC_SUCCESS) return failed;
  const int descriptor = channel_->poll_descriptor();
  if (descriptor < 0) return TSS2_TCTI_RC_IO_ERROR;
  handle = {.fd = descriptor, .events = POLLIN, .revents = 0};
  return TSS2_RC_SUCCESS;
}

}  // namespace tbs::tcti
