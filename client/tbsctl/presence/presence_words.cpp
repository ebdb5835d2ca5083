#include "client/tbsctl/presence/presence_words.h"

#include <algorithm>
#include <array>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/number.h"

namespace tbs::ctl {
namespace {

struct OperationName {
  std::uint32_t operation;
  std::string_view tpm20;
  std::string_view tpm12;
};

constexpr std::array kOperationNames = {
    OperationName{0, "none", "none"},
    OperationName{1, "enable", "enable"},
    OperationName{2, "disable", "disable"},
    OperationName{3, "", "activate"},
    OperationName{4, "", "deactivate"},
    OperationName{5, "clear", "clear"},
    OperationName{6, "", "enable and activate"},
    OperationName{7, "", "deactivate and disable"},
    OperationName{14, "clear", "clear, enable and activate"},
    OperationName{21, "clear", "clear and enable"},
    OperationName{22, "clear", "clear, enable and activate"},
    OperationName{23, "set PCR banks", ""},
    OperationName{24, "change the endorsement seed", ""},
    OperationName{33, "log all digests", ""},
    OperationName{34, "disable the endorsement hierarchy", ""},
};

constexpr std::uint32_t kUserAbort = 0xFFFFFFF0;
constexpr std::uint32_t kFirmwareFailure = 0xFFFFFFF1;
constexpr std::uint32_t kLastTpmError = 0xFFF;

}  // namespace

std::string operation_text(std::uint32_t operation, bool tpm12) {
  const auto* const found =
      std::ranges::find(kOperationNames, operation, &OperationName::operation);
  std::string number = std::to_string(operation);
  if (found == kOperationNames.end()) return number;
  const std::string_view name = tpm12 ? found->tpm12 : found->tpm20;
  return name.empty() ? number : std::string(name) + " (" + number + ")";
}

std::optional<std::uint32_t> parse_operation(std::string_view text) {
  const auto named = value_of(kSubmittedByName, text);
  return named ? named : parse_number<std::uint32_t>(text);
}

std::string_view transition_text(std::uint32_t action) {
  constexpr std::array<std::string_view, 4> kTexts = {"none", "shut down", "restart",
                                                      "as the vendor says"};
  return action < kTexts.size() ? kTexts[action] : "unknown";
}

std::string response_text(std::uint32_t response) {
  if (response == 0) return "success";
  if (response == kUserAbort) return "the user said no, or nothing";
  if (response == kFirmwareFailure) return "the firmware failed";
  if (response <= kLastTpmError) return "the TPM answered " + hex32(response);
  return hex32(response);
}

std::string_view confirmation_text(std::uint32_t status) {
  constexpr std::array<std::string_view, 5> kTexts = {
      "not implemented", "by the firmware's own menus only", "blocked by the firmware's settings",
      "allowed when a user confirms", "allowed without a user"};
  return status < kTexts.size() ? kTexts[status] : "unknown";
}

}  // namespace tbs::ctl
