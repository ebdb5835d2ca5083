#include "daemon/exec/bring_up.h"

#include <array>
#include <cstdio>
#include <utility>

#include "daemon/exec/startup.h"
#include "proto/command_names.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

bool is_tpm12_response(std::uint16_t tag) {
  return tag == tpm12::kTagResponse;
}

bool is_failure_mode(std::uint16_t tag, std::uint32_t code) {
  return is_tpm12_response(tag) ? code == tpm12::rc::kFailedSelfTest : code == tpm::rc::kFailure;
}

bool is_upgrade_mode(std::uint16_t tag, std::uint32_t code) {
  return !is_tpm12_response(tag) && code == tpm::rc::kUpgrade;
}

Health upgrading() {
  return {.problem = "the TPM is in field upgrade mode (TPM_RC_UPGRADE)",
          .advice =
              "it waits for the rest of its new firmware: let the program that updates it come to "
              "its end, or run it again (`tbsctl maintenance` gives it the TPM alone)"};
}

Health failed(std::optional<Family> family) {
  if (family == Family::Tpm12) {
    return {.failed = true,
            .problem = "the TPM's self-test has failed (TPM_FAILEDSELFTEST)",
            .advice =
                "it answers TPM_GetTestResult and TPM_GetCapability only; switch the machine "
                "off and on if it stays so"};
  }
  return {.failed = true,
          .problem = "the TPM is in failure mode (TPM_RC_FAILURE)",
          .advice =
              "it answers TPM2_GetTestResult and TPM2_GetCapability only; switch the machine "
              "off and on if it stays so"};
}

std::string name_of(std::uint32_t command) {
  const std::string_view name = proto::command_name(command);
  if (!name.empty()) return "TPM2_" + std::string(name);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "command 0x%x", static_cast<unsigned>(command));
  return text.data();
}

std::string refusal_of(std::uint32_t command, std::uint32_t code) {
  if (code == 0) return "the TPM's answer to " + name_of(command) + " makes no sense";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), " with 0x%x", static_cast<unsigned>(code));
  return "the TPM answered " + name_of(command) + text.data();
}

// Whichever stage has asked for properties: what each of them asks is in the records of releases.
void learn_sizes(TpmIdentity& identity, proto::Bytes response) {
  const auto list = tpm::parse_properties(response.subspan(tpm::kHeaderSize));
  if (!list) return;
  for (const tpm::Property& property : list->items) {
    if (property.name == tpm::pt::kMaxCommandSize) identity.max_command = property.value;
    if (property.name == tpm::pt::kMaxResponseSize) identity.max_response = property.value;
  }
}

}  // namespace

bool casts_doubt(std::span<const std::uint8_t> response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return false;
  if (is_failure_mode(header->tag, header->code)) return true;
  if (is_upgrade_mode(header->tag, header->code)) return true;
  return is_tpm12_response(header->tag) &&
         (header->code == tpm12::rc::kDisabled || header->code == tpm12::rc::kDeactivated);
}

BringUp::BringUp(TpmIdentity& identity, Next next)
    : identity_(identity), stage_(std::make_unique<Startup>(identity)), next_(std::move(next)) {}

Step BringUp::start() {
  identity_.health = {};
  return follow(stage_->start());
}

Step BringUp::on_response(std::span<const std::uint8_t> response) {
  if (const auto header = proto::read_tpm_header(response)) {
    answered_ = header->code;
    if (is_failure_mode(header->tag, header->code)) {
      identity_.family = is_tpm12_response(header->tag) ? Family::Tpm12 : Family::Tpm20;
      identity_.health = failed(identity_.family);
    } else if (is_upgrade_mode(header->tag, header->code)) {
      identity_.family = Family::Tpm20;
      identity_.health = upgrading();
      upgrading_ = true;
    } else if (asked_ == tpm::cc::kGetCapability && !is_tpm12_response(header->tag) &&
               header->code == tpm::rc::kSuccess) {
      learn_sizes(identity_, response);
    }
  }
  return follow(stage_->on_response(response));
}

Step BringUp::on_pause_over() {
  return follow(stage_->on_pause_over());
}

Step BringUp::follow(Step step) {
  if (const auto* const sent = std::get_if<Transmit>(&step)) {
    const auto header = proto::read_tpm_header(sent->command);
    asked_ = header ? header->code : 0;
  }
  if (!std::holds_alternative<Done>(step)) return step;
  return concluded(std::move(step));
}

Step BringUp::concluded(Step step) {
  // What it still answers reaches it; everything else waits for a TPM that works.
  if (identity_.health.failed || upgrading_) return Done{};
  if (std::get<Done>(step).status != proto::Status::Success) {
    identity_.health = {.problem = refusal_of(asked_, answered_),
                        .advice = "it is tried again from time to time"};
    return step;
  }
  if (!next_) return step;
  stage_ = std::exchange(next_, {})();
  return follow(stage_->start());
}

}  // namespace tbs::exec
