#include "daemon/exec/procedure.h"

#include <algorithm>
#include <utility>

#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

using proto::Bytes;

std::uint32_t code_of(Bytes command) {
  const auto header = proto::read_tpm_header(command);
  return header ? header->code : 0;
}

}  // namespace

// One that did not come to its end: whether the TPM has done its last step is not known.
Procedure::~Procedure() {
  last_.command.swap(manager_.sent_before);
  if (active_) manager_.check_due = true;
  end();
}

void Procedure::end() {
  if (std::exchange(active_, false)) --manager_.active_executions;
}

Step Procedure::start() {
  active_ = true;
  ++manager_.active_executions;
  return withdrawn_ ? given_up() : next();
}

Step Procedure::on_response(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return invalid_response();
  if (std::exchange(self_testing_, false)) return on_pause_over();
  const Readiness readiness = family_.readiness_of(header->code);
  if (readiness != Readiness::Ready) {
    if (auto step = wait_for(readiness, response)) return std::move(*step);
  }
  return std::exchange(operating_, false) ? operation_answered(response, header->code)
                                          : answered(response, header->code);
}

// Nothing: it was waited for long enough, and the code is the answer.
std::optional<Step> Procedure::wait_for(Readiness readiness, Bytes response) {
  if (readiness == Readiness::SelfTest) {
    if (std::exchange(self_test_asked_, true)) return std::nullopt;
    self_testing_ = true;
    ++manager_.statistics.transmissions;
    return Transmit{.command = family_.self_test()};
  }
  if (leaves_for_later()) return later(readiness, response);
  if (!backoff_) {
    backoff_.emplace(std::min(family_.deadline_of(code_of(last_.command)), patience()));
  }
  const auto pause = backoff_->next();
  if (!pause) return std::nullopt;
  ++manager_.statistics.waits;
  return Pause{*pause};
}

Step Procedure::later(Readiness readiness, Bytes response) {
  if (withdrawn_) return given_up();
  ++manager_.statistics.waits;
  end();
  return Done{.response = {response.begin(), response.end()},
              .later = readiness == Readiness::NvLater ? Later::NvWrites : Later::Command};
}

Step Procedure::on_pause_over() {
  if (withdrawn_ && can_give_up()) return given_up();
  ++manager_.statistics.transmissions;
  return last_;
}

Step Procedure::send(proto::Buffer command, std::uint8_t locality, bool client_command) {
  backoff_.reset();
  last_.command.assign(command.begin(), command.end());
  last_.locality = locality;
  last_.client_command = client_command;
  ++manager_.statistics.transmissions;
  return Transmit{
      .command = std::move(command), .locality = locality, .client_command = client_command};
}

Step Procedure::operate(proto::Buffer command) {
  if (++operations_ > family_.most_operations) return invalid_response();
  operating_ = true;
  return send(std::move(command));
}

Step Procedure::done(proto::Buffer response) {
  end();
  return Done{.status = proto::Status::Success, .response = std::move(response)};
}

Step Procedure::done(proto::Status status) {
  end();
  return Done{.status = status, .response = {}};
}

Step Procedure::invalid_response() {
  manager_.check_due = true;
  return done(proto::Status::IoError);
}

}  // namespace tbs::exec
