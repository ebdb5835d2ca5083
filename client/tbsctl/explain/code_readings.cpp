#include "client/tbsctl/explain/code_readings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <tss2/tss2_rc.h>

#include "client/tbsctl/explain/error_numbers.h"
#include "client/tbsctl/response_code/rc_advice.h"
#include "client/tbsctl/response_code/rc_tables.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "proto/service_codes.h"
#include "proto/tpm/command_schema.h"
#include "proto/tpm/response_code.h"

namespace tbs::ctl {
namespace {

namespace rc = tpm::rc;

bool of_tbs_service(std::uint32_t code) {
  return (code & proto::service::kFacilityMask) == proto::service::kFacility;
}

bool has_layer(std::uint32_t code) {
  return !of_tbs_service(code) && (code & TSS2_RC_LAYER_MASK) != 0;
}

std::string layer_of(std::uint32_t code) {
  if (of_tbs_service(code)) return "the TBS service";
  if (!has_layer(code)) return "the TPM";
  const RcRow* const row = find_row(layer_rows(), code & TSS2_RC_LAYER_MASK);
  return row == nullptr ? "an unknown layer" : "the " + std::string(row->text) + " layer";
}

// The handle that the session with this number (from 1) authorizes.
std::string_view authorized_by(const tpm::CommandSchema& schema, std::uint32_t session) {
  for (const std::string_view name : schema.handles) {
    if (name.starts_with('@') && --session == 0) return name.substr(1);
  }
  return {};
}

// "inPublic", what a format-one code points to; empty when nobody knows.
std::string_view named_place(std::uint32_t code, std::uint32_t command) {
  const tpm::CommandSchema* const schema = tpm::find_command_schema(command);
  const std::uint32_t number = (code & rc::kPosition) >> rc::kPositionShift;
  if (schema == nullptr || number == 0) return {};
  if ((code & rc::kParameter) != 0) {
    return number > tpm::CommandSchema::kMaxParameters ? std::string_view{}
                                                       : schema->parameters[number - 1].name;
  }
  if ((code & rc::kSession) != 0) return authorized_by(*schema, number & 0x7U);
  if (number > tpm::CommandSchema::kMaxNamedHandles) return {};
  const std::string_view name = schema->handles[number - 1];
  return name.starts_with('@') ? name.substr(1) : name;
}

std::string place_of(std::uint32_t code, std::uint32_t command) {
  if ((code & rc::kFormatOne) == 0) return "";
  const std::string where = describe_tpm20(code & 0xFFFFU).where;
  const std::string_view name = named_place(code, command);
  return where.empty() || name.empty() ? where : where + " (" + std::string(name) + ")";
}

void add_advice(CodeReading& reading, const RcAdvice* advice) {
  if (advice == nullptr) return;
  reading.cause = advice->cause;
  reading.advice = advice->advice;
}

CodeReading explain_error(std::uint32_t code) {
  const auto number = static_cast<int>(code);
  CodeReading reading{.family = CodeFamily::System,
                      .code = code,
                      .name = error_name(number),
                      .layer = "the system: the kernel's TPM device, or a socket",
                      .where = "",
                      .text = "an error that a TPM device is not known to give",
                      .cause = "",
                      .advice = "",
                      .tss = ""};
  if (const ErrorRow* const row = find_error(number)) {
    reading.text = row->text;
    reading.cause = row->cause;
    reading.advice = row->advice;
  }
  return reading;
}

bool known(const RcText& text) {
  return text.name != "unknown code" && text.name != "TBS_E_UNKNOWN";
}

// Codes of TPM 1.2 that are in a table or the maker's.
bool is_tpm12(std::uint32_t number) {
  return number <= 0xFFF && (number & (rc::kFormatOne | rc::kVersion2)) == 0 &&
         known(describe_tpm12(number));
}

bool is_tpm20(std::uint32_t number) {
  if (number == TPM2_RC_SUCCESS) return true;
  if (has_layer(number)) return known(describe_tpm20(number));
  return (number & (rc::kFormatOne | rc::kVersion2)) != 0 && known(describe_tpm20(number));
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text, int base) {
  Number value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || stop != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

void append_new(std::vector<FamilyCode>& into, const std::vector<FamilyCode>& more) {
  for (const FamilyCode& code : more) {
    if (std::ranges::find(into, code) == into.end()) into.push_back(code);
  }
}

// -62, as the kernel's log has it.
std::optional<std::vector<FamilyCode>> negative(std::string_view text) {
  if (!text.starts_with('-')) return std::nullopt;
  const auto number = whole_number<std::uint32_t>(text.substr(1), 10);
  if (!number) return std::nullopt;
  if (error_name(static_cast<int>(std::min<std::uint32_t>(*number, INT32_MAX))).empty()) {
    return std::vector<FamilyCode>{};
  }
  return std::vector<FamilyCode>{{CodeFamily::System, *number}};
}

// Nothing when the text is no number.
std::optional<std::vector<FamilyCode>> numeric_codes(std::string_view text) {
  if (auto error = negative(text)) return error;
  const bool marked = text.starts_with("0x") || text.starts_with("0X");
  const auto hex = whole_number<std::uint32_t>(marked ? text.substr(2) : text, 16);
  const auto decimal = marked ? std::nullopt : whole_number<std::uint32_t>(text, 10);
  if (!hex && !decimal) return std::nullopt;
  std::vector<FamilyCode> found;
  if (hex) append_new(found, codes_numbered(*hex, false));
  if (decimal) append_new(found, codes_numbered(*decimal, true));
  return found;
}

}  // namespace

std::string_view family_text(CodeFamily family) {
  switch (family) {
    case CodeFamily::Tpm20:
      return "TPM 2.0";
    case CodeFamily::Tpm12:
      return "TPM 1.2";
    case CodeFamily::Tbs:
      return "TBS";
    case CodeFamily::System:
      break;
  }
  return "system";
}

CodeReading explain_code(FamilyCode code, std::uint32_t command) {
  if (code.family == CodeFamily::System) return explain_error(code.code);
  const bool old = code.family == CodeFamily::Tpm12;
  const RcText text = code.family == CodeFamily::Tbs && code.code == 0
                          ? RcText{.name = "TBS_SUCCESS", .where = "", .text = "success"}
                      : old ? describe_tpm12(code.code)
                            : describe_tpm20(code.code);
  CodeReading reading{
      .family = code.family,
      .code = code.code,
      .name = text.name,
      .layer = code.family == CodeFamily::Tbs ? "the TBS service" : layer_of(code.code),
      .where = "",
      .text = text.text,
      .cause = "",
      .advice = "",
      .tss = ""};
  if (code.family == CodeFamily::Tpm20) {
    reading.where = place_of(code.code, command);
    reading.tss = Tss2_RC_Decode(code.code);
  }
  add_advice(reading, old ? advice_for_tpm12(code.code) : advice_for_tpm20(code.code));
  return reading;
}

std::vector<FamilyCode> codes_numbered(std::uint32_t number, bool decimal) {
  std::vector<FamilyCode> found;
  if (of_tbs_service(number)) {
    if (known(describe_tpm20(number))) found.push_back({CodeFamily::Tbs, number});
    return found;
  }
  if (is_tpm20(number)) found.push_back({CodeFamily::Tpm20, number});
  if (is_tpm12(number)) found.push_back({CodeFamily::Tpm12, number});
  if (number == 0) found.push_back({CodeFamily::Tbs, number});
  // What a program shows of a negative number that it takes for a positive one.
  const std::uint32_t error = number > INT32_MAX ? 0 - number : number;
  const bool negative = number > INT32_MAX && error < 4096;
  if ((decimal || negative) && error < 4096 && !error_name(static_cast<int>(error)).empty()) {
    found.push_back({CodeFamily::System, error});
  }
  return found;
}

std::expected<std::vector<FamilyCode>, std::string> read_code(std::string_view text) {
  if (auto numbers = numeric_codes(text)) {
    // A word such as EACCES or BAD may be both.
    append_new(*numbers, codes_named(text));
    return *std::move(numbers);
  }
  auto names = codes_named(text);
  if (!names.empty()) return names;
  std::string message = "'" + printable(text) + "' is neither a code nor the name of one";
  const auto like = names_like(text);
  for (std::size_t i = 0; i < like.size(); ++i) {
    message += (i == 0 ? "; did you mean " : ", ") + std::string(like[i]);
  }
  return std::unexpected(message + (like.empty() ? "" : "?"));
}

}  // namespace tbs::ctl
