#include "daemon/rm12/procedure.h"

#include <algorithm>
#include <utility>

#include "daemon/tpm12/builder.h"
#include "daemon/tpm12/command_class.h"
#include "daemon/tpm12/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::rm12 {
namespace {

using exec::Step;
using proto::Bytes;

// In all, for a TPM that asks to wait: the others wait too.
constexpr std::chrono::seconds kLongestWait{60};

// More than any good TPM needs for one execution. One that gives the same handle to everything
// would otherwise have the same keys loaded for ever.
constexpr unsigned kMostOperations = 1024;

std::uint32_t ordinal_of(Bytes command) {
  proto::ByteReader reader(command);
  reader.skip(6);
  return reader.be32();
}

}  // namespace

void Procedure::end() {
  if (std::exchange(active_, false)) --state_.active_executions;
}

Step Procedure::start() {
  active_ = true;
  ++state_.active_executions;
  return withdrawn_ ? given_up() : next();
}

Step Procedure::on_response(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  if (std::exchange(self_testing_, false)) return on_pause_over();
  if (auto step = wait_for(header->code)) return std::move(*step);
  return operation_ ? operation_answered(response, header->code) : answered(response, header->code);
}

// A TPM that is not ready has done nothing: the same bytes are good once more.
std::optional<Step> Procedure::wait_for(std::uint32_t code) {
  switch (tpm12::remedy_of(code)) {
    case tpm12::Remedy::SelfTest:
      if (std::exchange(self_test_asked_, true)) return std::nullopt;
      self_testing_ = true;
      ++state_.statistics.transmissions;
      return exec::Transmit{.command = tpm12::build::continue_self_test()};
    case tpm12::Remedy::Wait:
      break;
    default:
      return std::nullopt;
  }
  if (!backoff_) {
    backoff_.emplace(std::min<std::chrono::seconds>(tpm12::deadline_of(ordinal_of(last_.command)),
                                                    kLongestWait));
  }
  const auto pause = backoff_->next();
  if (!pause) return std::nullopt;
  ++state_.statistics.waits;
  return exec::Pause{*pause};
}

Step Procedure::operation_answered(Bytes response, std::uint32_t code) {
  const Operation operation = *std::exchange(operation_, std::nullopt);
  if (code != tpm12::rc::kSuccess) return failed(operation, response, code);
  const auto view = tpm12::parse_response(response);
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

}  // namespace tbs::rm12
