#include "client/tbsctl/tpm/tpm_details.h"

#include "client/tbsctl/text/priority.h"
#include "proto/limits.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

constexpr std::uint32_t kVendorWords = 4;

// Up to four letters in a number, the first one in its highest bits.
std::string letters_of(std::uint32_t value) {
  std::string letters;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    const auto letter = static_cast<char>(value >> (shift - 8) & 0xFFU);
    if (letter != '\0') letters += letter;
  }
  return letters;
}

void take_properties(TpmDetails& details, proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != tpm::rc::kSuccess) return;
  const auto list = tpm::parse_properties(response.subspan(proto::kTpmHeaderSize));
  if (!list) return;
  std::optional<std::uint32_t> high;
  std::optional<std::uint32_t> low;
  for (const tpm::Property& property : list->items) {
    const std::uint32_t at = property.name - TPM2_PT_VENDOR_STRING_1;
    if (at < kVendorWords) details.vendor += letters_of(property.value);
    if (property.name == TPM2_PT_FIRMWARE_VERSION_1) high = property.value;
    if (property.name == TPM2_PT_FIRMWARE_VERSION_1 + 1) low = property.value;
  }
  details.vendor.erase(details.vendor.find_last_not_of(' ') + 1);
  if (high) details.firmware = firmware_text(*high, low.value_or(0));
}

}  // namespace

std::string firmware_text(std::uint32_t high, std::uint32_t low) {
  std::string text;
  for (const std::uint32_t part : {high >> 16, high & 0xFFFFU, low >> 16, low & 0xFFFFU}) {
    text += (text.empty() ? "" : ".") + std::to_string(part);
  }
  return text;
}

TpmDetails ask_details(Conversation& daemon) {
  TpmDetails details;
  // From the vendor's text to the second half of the firmware's version.
  const proto::Buffer command =
      tpm::build::get_capability(tpm::cap::kProperties, TPM2_PT_VENDOR_STRING_1,
                                 TPM2_PT_FIRMWARE_VERSION_1 + 2 - TPM2_PT_VENDOR_STRING_1);
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (result && result->status == proto::Status::Success) {
    take_properties(details, result->response);
  }
  if (auto banks = tpm_banks(daemon)) details.banks = *std::move(banks);
  return details;
}

}  // namespace tbs::ctl
