#include "daemon/rm/procedure.h"

#include <algorithm>
#include <utility>

#include "daemon/tpm/command_class.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_reader.h"

namespace tbs::rm {
namespace {

using exec::Step;
using proto::Bytes;

// In all, for a TPM that asks to wait: the others wait too.
constexpr std::chrono::seconds kLongestWait{60};

// The response code, where the bytes are a response at all.
std::optional<std::uint32_t> code_of(Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(2);
  const std::uint32_t size = reader.be32();
  const std::uint32_t code = reader.be32();
  if (!reader.ok() || size != response.size()) return std::nullopt;
  return code;
}

// More than any good TPM needs for one execution: three times its 64 sessions. One that gives the
// same handle to everything would otherwise have the same objects loaded for ever.
constexpr unsigned kMostOperations = 256;

}  // namespace

Procedure::Procedure(State& state) : state_(state) {}

Procedure::~Procedure() {
  end();
}

void Procedure::end() {
  if (std::exchange(active_, false)) --state_.active_executions;
}

Step Procedure::start() {
  active_ = true;
  ++state_.active_executions;
  return withdrawn_ ? given_up() : next();
}

Step Procedure::on_response(Bytes response) {
  const auto code = code_of(response);
  if (!code) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  if (tpm::remedy_of(*code) == tpm::Remedy::Wait) {
    if (!backoff_) {
      backoff_.emplace(std::min<std::chrono::seconds>(
          tpm::deadline_of(tpm::command_code_of(last_.command)), kLongestWait));
    }
    if (const auto pause = backoff_->next()) {
      ++state_.statistics.waits;
      return exec::Pause{*pause};
    }
  }
  return operation_ ? operation_answered(response, *code) : answered(response, *code);
}

Step Procedure::operation_answered(Bytes response, std::uint32_t code) {
  const Operation operation = *std::exchange(operation_, std::nullopt);
  if (code != tpm::rc::kSuccess) return failed(operation, response, code);
  const auto view = tpm::parse_response(response, {.has_handle = returns_handle(operation)});
  if (!view || !apply(state_, operation, *view)) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  return next();
}

Step Procedure::on_pause_over() {
  if (withdrawn_ && can_give_up()) return given_up();
  ++state_.statistics.transmissions;
  return last_;
}

Step Procedure::perform(const Operation& operation) {
  if (++operations_ > kMostOperations) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  Step step = send(command_of(operation));
  operation_ = operation;
  return step;
}

Step Procedure::send(proto::Buffer command, std::uint8_t locality, bool client_command) {
  operation_.reset();
  backoff_.reset();
  last_ = {.command = std::move(command), .locality = locality, .client_command = client_command};
  ++state_.statistics.transmissions;
  return last_;
}

Step Procedure::done(proto::Buffer response) {
  end();
  return exec::Done{.status = proto::Status::Success, .response = std::move(response)};
}

Step Procedure::done(proto::Status status) {
  end();
  return exec::Done{.status = status, .response = {}};
}

}  // namespace tbs::rm
