#include "daemon/exec/startup.h"

#include "daemon/tpm12/capability.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

// Self tests of real chips take up to a second or two; this is 5 s in all.
constexpr unsigned kMaxAttempts = 50;
constexpr std::chrono::milliseconds kRetryPause{100};

std::string four_letters(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto letter = static_cast<char>(value >> shift & 0xff);
    if (letter > ' ' && letter < 127) text.push_back(letter);
  }
  return text;
}

bool read_properties20(proto::Bytes response, TpmIdentity& identity) {
  const auto list = tpm::parse_properties(response.subspan(tpm::kHeaderSize));
  if (!list || list->items.empty()) return false;
  identity.max_command = identity.max_response = 0;
  for (const tpm::Property& property : list->items) {
    if (property.name == tpm::pt::kRevision) identity.revision = property.value;
    if (property.name == tpm::pt::kManufacturer) {
      identity.manufacturer = four_letters(property.value);
    }
  }
  return true;
}

bool read_properties12(proto::Bytes response, TpmIdentity& identity) {
  const auto manufacturer = tpm12::parse_capability_word(response.subspan(tpm12::kHeaderSize));
  if (!manufacturer) return false;
  identity.manufacturer = four_letters(*manufacturer);
  identity.revision = 116;
  identity.max_command = identity.max_response = 0;
  return true;
}

}  // namespace

Step Startup::start() {
  return send();
}

Step Startup::send() {
  switch (stage_) {
    case Stage::Startup20:
      return Transmit{.command = tpm::build::startup(tpm::kStartupClear)};
    case Stage::Properties20:
      return Transmit{.command =
                          tpm::build::get_capability(tpm::cap::kProperties, tpm::pt::kRevision, 8)};
    case Stage::Startup12:
      return Transmit{.command = tpm12::build::startup_clear()};
    case Stage::Properties12:
      return Transmit{.command = tpm12::build::get_capability(tpm12::cap::kProperty,
                                                              tpm12::prop::kManufacturer)};
    case Stage::PermanentFlags12:
      return Transmit{.command =
                          tpm12::build::get_capability(tpm12::cap::kFlag, tpm12::flag::kPermanent)};
    case Stage::VolatileFlags12:
      return Transmit{.command =
                          tpm12::build::get_capability(tpm12::cap::kFlag, tpm12::flag::kVolatile)};
  }
  return Done{.status = proto::Status::InternalError};
}

Step Startup::advance(Stage stage) {
  stage_ = stage;
  attempts_ = 0;
  return send();
}

Step Startup::retry() {
  if (++attempts_ > kMaxAttempts) return Done{.status = proto::Status::IoError};
  return Pause{kRetryPause};
}

Step Startup::on_pause_over() {
  return send();
}

Step Startup::on_response(std::span<const std::uint8_t> response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return Done{.status = proto::Status::IoError};
  if (header->code == tpm::rc::kRetry || header->code == tpm::rc::kTesting) return retry();
  switch (stage_) {
    case Stage::Startup20:
      return on_startup20(header->tag, header->code);
    case Stage::Startup12:
      // INVALID_POSTINIT: it has been started already.
      if (header->code != 0 && header->code != tpm12::rc::kInvalidPostInit &&
          header->code != tpm12::rc::kFailedSelfTest) {
        break;
      }
      return advance(Stage::Properties12);
    case Stage::Properties20:
      if (header->code != 0 || !read_properties20(response, identity_)) break;
      identity_.family = Family::Tpm20;
      return Done{};
    case Stage::Properties12:
      if (header->code != 0 || !read_properties12(response, identity_)) break;
      identity_.family = Family::Tpm12;
      return advance(Stage::PermanentFlags12);
    case Stage::PermanentFlags12:
    case Stage::VolatileFlags12:
      return on_flags12(response);
  }
  return Done{.status = proto::Status::IoError};
}

Step Startup::on_startup20(std::uint16_t tag, std::uint32_t code) {
  if (tag == tpm::kTagRspCommand) return advance(Stage::Startup12);
  // INITIALIZE: it has been started already.
  if (code != 0 && code != tpm::rc::kInitialize && code != tpm::rc::kFailure) {
    return Done{.status = proto::Status::IoError};
  }
  return advance(Stage::Properties20);
}

// A TPM that does not tell them is none the worse for it.
Step Startup::on_flags12(std::span<const std::uint8_t> response) {
  const auto flags = tpm12::parse_flags(response.subspan(tpm12::kHeaderSize));
  const bool permanent = stage_ == Stage::PermanentFlags12;
  if (flags && permanent && flags->disabled) {
    identity_.health.problem = "the TPM is disabled (TPM_DISABLED)";
    identity_.health.advice = "enable it in the firmware's setup, or with `tbsctl ppi`";
  } else if (flags && !permanent && flags->deactivated) {
    identity_.health.problem = "the TPM is deactivated (TPM_DEACTIVATED)";
    identity_.health.advice = "activate it in the firmware's setup, or with `tbsctl ppi`";
  }
  const bool known = !identity_.health.problem.empty();
  return permanent && !known ? advance(Stage::VolatileFlags12) : Step(Done{});
}

Step Shutdown::start() {
  if (!owns_power_) return Done{};
  if (family_ == Family::Tpm12) return Transmit{.command = tpm12::build::save_state()};
  return Transmit{.command = tpm::build::shutdown(tpm::kStartupClear)};
}

}  // namespace tbs::exec
