#include "client/tbsctl/explain/explain_input.h"

#include <algorithm>
#include <functional>

#include "client/tbsctl/explain/code_readings.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/input_file.h"
#include "client/tbsctl/text/number.h"
#include "client/tbsctl/tpm/command_name.h"
#include "proto/dissect/dissect.h"
#include "proto/limits.h"
#include "proto/tpm/command_schema.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm12/ordinal_names.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using dissect::Dissection;
using Family = Dissection::Family;

constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::string_view kBetweenBytes = " \t\r\n\f\v:,";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
// As generously written as submit takes it: "0x00, " for each byte.
constexpr std::size_t kMaxExplainText = proto::kMaxTpmMessage * 8;

std::unexpected<Failure> usage_failure(std::string message) {
  return std::unexpected(Failure{.exit = Exit::Usage, .message = std::move(message)});
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Whether the text is bytes, and not a name or number.
bool is_bytes(std::string_view text) {
  if (text.find_first_of(kBetweenBytes) != std::string_view::npos) return true;
  const bool marked = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = marked ? text.substr(2) : text;
  if (digits.find_first_not_of(kHexDigits) != std::string_view::npos) return false;
  const bool decimal = !marked && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return digits.size() > (decimal ? 10 : 8);
}

std::expected<ExplainInput, Failure> read_text_input(const std::string& text) {
  if (is_bytes(text)) {
    auto bytes = parse_hex(text);
    if (!bytes) return usage_failure("the text is " + bytes.error());
    return *std::move(bytes);
  }
  auto codes = read_code(text);
  if (!codes) return usage_failure(codes.error());
  return *std::move(codes);
}

// Whether the first byte is one of a message and not of text.
bool is_binary(const proto::Buffer& content) {
  return !content.empty() && (content.front() == 0x80 || content.front() == 0);
}

bool may_be_command(Family family, const proto::TpmHeader& header) {
  if (family == Family::Tpm12) return header.tag <= tpm12::kTagAuth2Command;
  return tpm::find_command_schema(header.code) != nullptr ||
         (header.code & tpm::cc::kVendorBit) != 0;
}

bool may_be_response(Family family, const proto::TpmHeader& header, std::size_t size) {
  if (family == Family::Tpm12) return header.tag > tpm12::kTagAuth2Command;
  if (header.code == TPM2_RC_SUCCESS) return true;
  return size == proto::kTpmHeaderSize && !codes_numbered(header.code, false).empty();
}

// Header fields as far as they are there.
proto::TpmHeader peek_header(proto::Bytes bytes) {
  proto::ByteReader reader(bytes);
  return {.tag = reader.be16(), .size = reader.be32(), .code = reader.be32()};
}

std::vector<Dissection> possible_readings(proto::Bytes bytes) {
  const Family family = dissect::family_of(bytes);
  const proto::TpmHeader header = peek_header(bytes);
  const bool response = may_be_response(family, header, bytes.size());
  std::vector<Dissection> readings;
  if (may_be_command(family, header) || !response) {
    readings.push_back(dissect::dissect_command(bytes));
  }
  if (response) readings.push_back(dissect::dissect_response(bytes, 0));
  if (readings.size() < 2) return readings;
  // One that is in order makes one that is not improbable.
  const auto is_sound = [](const Dissection& reading) { return reading.faults.empty(); };
  if (std::ranges::any_of(readings, is_sound)) std::erase_if(readings, std::not_fn(is_sound));
  return readings;
}

}  // namespace

std::expected<ExplainInput, Failure> read_explain_input(std::string text) {
  if (trimmed(text) == "-") {
    auto content = read_standard_input(kMaxExplainText);
    if (!content) return std::unexpected(std::move(content.error()));
    if (is_binary(*content)) return *std::move(content);
    text.assign(content->begin(), content->end());
  }
  text = trimmed(text);
  if (text.empty()) {
    return usage_failure(
        "explain needs a code, a command or a response; see `tbsctl explain --help`");
  }
  return read_text_input(text);
}

std::optional<std::uint32_t> command_of(const std::string& text, Family family) {
  if (is_bytes(text)) {
    const auto bytes = parse_hex(text);
    if (!bytes || bytes->size() < proto::kTpmHeaderSize) return std::nullopt;
    return peek_header(*bytes).code;
  }
  if (family == Family::Tpm20) return parse_command_code(text);
  if (const auto number = parse_number<std::uint32_t>(text)) return number;
  return tpm12::ordinal_of(text);
}

std::expected<std::vector<Dissection>, Failure> dissect_bytes(proto::Bytes bytes,
                                                              const std::string& command) {
  if (command.empty()) return possible_readings(bytes);
  const auto code = command_of(command, dissect::family_of(bytes));
  if (!code) {
    return usage_failure("--response-of: there is no command '" + printable(command) + "'");
  }
  return std::vector{dissect::dissect_response(bytes, *code)};
}

}  // namespace tbs::ctl
