#include "client/tbsctl/bridge/power_state.h"

#include "proto/limits.h"
#include "proto/tpm/command_schema.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm12/startup_type.h"
#include "proto/tpm_header.h"

namespace tbs::ctl::bridge {
namespace {

bool is_family_12(std::uint16_t tag) {
  return tag >= tpm12::kTagCommand && tag <= tpm12::kTagAuth2Command;
}

bool is_start(const proto::TpmHeader& asked) {
  return asked.code == (is_family_12(asked.tag) ? tpm12::ord::kStartup : tpm::cc::kStartup);
}

// The one code for both: the TPM is not started, or it is and was to be started.
bool says_power(const proto::TpmHeader& asked, const proto::TpmHeader& answered) {
  return answered.code ==
         (is_family_12(asked.tag) ? tpm12::rc::kInvalidPostInit : tpm::rc::kInitialize);
}

}  // namespace

void PowerState::cycle() {
  waits_ = true;
}

std::optional<proto::Buffer> PowerState::answer(proto::Bytes command) {
  if (!waits_) return std::nullopt;
  const auto asked = proto::read_tpm_header(command);
  if (!asked) return std::nullopt;  // refused for its length
  const proto::Bytes parameters = command.subspan(proto::kTpmHeaderSize);
  if (is_family_12(asked->tag)) {
    const bool authorized = asked->tag != tpm12::kTagCommand;
    return proto::tpm_error_response(tpm12::kTagResponse,
                                     code_12(asked->code, authorized, parameters));
  }
  if (asked->tag != tpm::kTagSessions && asked->tag != tpm::kTagNoSessions) return std::nullopt;
  const bool sessions = asked->tag == tpm::kTagSessions;
  return proto::tpm_error_response(tpm::kTagNoSessions, code_20(asked->code, sessions, parameters));
}

// In the order in which a TPM looks at it.
std::uint32_t PowerState::code_20(std::uint32_t ordinal, bool sessions, proto::Bytes parameters) {
  if (tpm::find_command_schema(ordinal) == nullptr) return tpm::rc::kCommandCode;
  if (ordinal != tpm::cc::kStartup) return tpm::rc::kInitialize;
  if (sessions) return tpm::rc::kAuthContext;
  proto::ByteReader reader(parameters);
  const std::uint16_t type = reader.be16();
  if (!reader.ok()) return tpm::at_parameter(tpm::rc::kInsufficient, 1);
  const bool known = type == tpm::kStartupClear || type == tpm::kStartupState;
  if (!known) return tpm::at_parameter(tpm::rc::kValue, 1);
  if (!reader.at_end()) return tpm::rc::kSize;
  if (type == tpm::kStartupState && !prepared_) return tpm::at_parameter(tpm::rc::kValue, 1);
  start();
  return tpm::rc::kSuccess;
}

std::uint32_t PowerState::code_12(std::uint32_t ordinal, bool authorized, proto::Bytes parameters) {
  if (ordinal != tpm12::ord::kStartup) return tpm12::rc::kInvalidPostInit;
  if (authorized) return tpm12::rc::kBadTag;
  proto::ByteReader reader(parameters);
  const std::uint16_t type = reader.be16();
  if (!reader.at_end()) return tpm12::rc::kBadParamSize;
  if (type == tpm12::kStartupState && !prepared_) return tpm12::rc::kFailedSelfTest;
  // Nor a TPM that is deactivated until its next start: this one is not.
  if (type != tpm12::kStartupClear && type != tpm12::kStartupState) {
    return tpm12::rc::kBadParameter;
  }
  start();
  return tpm12::rc::kSuccess;
}

void PowerState::start() {
  waits_ = false;
  prepared_ = false;
}

std::optional<proto::Buffer> answer_to_first_start(proto::Bytes command, proto::Bytes response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered || !is_start(*asked) || !says_power(*asked, *answered)) {
    return std::nullopt;
  }
  PowerState waiting;
  waiting.cycle();
  return waiting.answer(command);
}

bool shows_started(proto::Bytes command, proto::Bytes response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered) return false;
  if (is_start(*asked)) return answered->code == tpm::rc::kSuccess;
  return !says_power(*asked, *answered);
}

std::optional<bool> prepares_resume(proto::Bytes command, proto::Bytes response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered || answered->code != tpm::rc::kSuccess) return std::nullopt;
  if (is_family_12(asked->tag)) {
    return asked->code == tpm12::ord::kSaveState ? std::optional(true) : std::nullopt;
  }
  if (asked->code != tpm::cc::kShutdown) return std::nullopt;
  return proto::ByteReader(command.subspan(proto::kTpmHeaderSize)).be16() == tpm::kStartupState;
}

}  // namespace tbs::ctl::bridge
