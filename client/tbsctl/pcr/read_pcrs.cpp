#include "client/tbsctl/pcr/read_pcrs.h"

#include <algorithm>
#include <optional>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/number.h"
#include "client/tbsctl/text/priority.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

// TPM 2.0 Library Part 2: "TPM_CC", "TPM_CAP"; TPM 1.2 Part 2: ordinals.
constexpr std::uint32_t kPcrRead = 0x17E;
constexpr std::uint32_t kGetCapability = 0x17A;
constexpr std::uint32_t kCapPcrs = 5;
constexpr std::uint32_t kPcrRead12 = 0x15;
constexpr std::uint16_t kTagCommand12 = 0xC1;
constexpr std::uint32_t kVersion12 = 1;
constexpr std::uint32_t kSelectBytes = 3;
constexpr std::uint32_t kAllPcrs = (1U << kPcrCount) - 1;

Buffer command_of(std::uint16_t tag, std::uint32_t code, const Buffer& parameters) {
  Buffer command;
  ByteWriter writer(command);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(proto::kTpmHeaderSize + parameters.size()));
  writer.be32(code);
  writer.bytes(parameters);
  return command;
}

// The parameters of a response that says success.
std::expected<Buffer, Failure> run(Conversation& daemon, const Buffer& command,
                                   std::string_view name) {
  const auto result = daemon.ask(proto::Submit{.priority = kPriorityNormal, .command = command});
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd did not run " + std::string(name), result->status));
  }
  const auto header = proto::read_tpm_header(result->response);
  if (!header) {
    return std::unexpected(Failure{
        .exit = Exit::Failed, .message = "the response to " + std::string(name) + " is not valid"});
  }
  if (header->code != 0) {
    return std::unexpected(Failure{.exit = Exit::Tpm,
                                   .message = std::string(name) + " was answered " +
                                              rc_line(header->code, describe_response(*header))});
  }
  const Bytes rest = result->response.subspan(proto::kTpmHeaderSize);
  return Buffer(rest.begin(), rest.end());
}

std::unexpected<Failure> bad_list() {
  return std::unexpected(
      Failure{.exit = Exit::Failed, .message = "the TPM's list of PCRs is not valid"});
}

// TPML_PCR_SELECTION.
std::optional<std::vector<PcrSelection>> read_selections(ByteReader& reader) {
  std::vector<PcrSelection> selections;
  const std::uint32_t count = reader.be32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    PcrSelection selection{.algorithm = reader.be16()};
    const Bytes bits = reader.take(reader.u8());
    for (std::size_t at = 0; at < std::min<std::size_t>(bits.size(), kSelectBytes); ++at) {
      selection.pcrs |= std::uint32_t{bits[at]} << (8 * at);
    }
    selections.push_back(selection);
  }
  if (!reader.ok()) return std::nullopt;
  return selections;
}

Buffer selection_parameters(const PcrSelection& selection) {
  Buffer parameters;
  ByteWriter writer(parameters);
  writer.be32(1);
  writer.be16(selection.algorithm);
  writer.u8(kSelectBytes);
  for (unsigned at = 0; at < kSelectBytes; ++at) {
    writer.u8(static_cast<std::uint8_t>(selection.pcrs >> (8 * at)));
  }
  return parameters;
}

// As many of the wanted PCRs as one response holds, which are struck off `left`.
std::expected<std::vector<PcrValue>, Failure> read_some(Conversation& daemon, PcrSelection& left) {
  const auto parameters =
      run(daemon, command_of(proto::kTagNoSessions, kPcrRead, selection_parameters(left)),
          "TPM2_PCR_Read");
  if (!parameters) return std::unexpected(parameters.error());
  ByteReader reader(*parameters);
  reader.skip(4);  // update counter
  const auto got = read_selections(reader);
  if (!got || got->size() > 1) return bad_list();
  const std::uint32_t listed = got->empty() ? 0 : got->front().pcrs & left.pcrs;
  const std::uint32_t count = reader.be32();
  std::vector<PcrValue> values;
  for (std::uint32_t pcr = 0; pcr < kPcrCount && values.size() < count; ++pcr) {
    if ((listed >> pcr & 1U) == 0) continue;
    const Bytes value = reader.take(reader.be16());
    values.push_back({left.algorithm, pcr, {value.begin(), value.end()}});
  }
  if (!reader.ok() || values.size() != count) return bad_list();
  left.pcrs &= ~listed;
  if (listed == 0) left.pcrs = 0;
  return values;
}

std::expected<bool, Failure> is_tpm12(Conversation& daemon) {
  const auto info = daemon.ask(proto::DeviceInfo{});
  if (!info) return std::unexpected(info.error());
  return info->tpm_version == kVersion12;
}

std::expected<std::vector<PcrValue>, Failure> read_pcrs12(Conversation& daemon,
                                                          const std::vector<PcrSelection>& wanted) {
  std::vector<PcrValue> values;
  for (const PcrSelection& selection : wanted) {
    for (std::uint32_t pcr = 0; pcr < kPcrCount; ++pcr) {
      if (selection.algorithm != kSha1Bank || (selection.pcrs >> pcr & 1U) == 0) continue;
      Buffer parameters;
      ByteWriter(parameters).be32(pcr);
      auto value = run(daemon, command_of(kTagCommand12, kPcrRead12, parameters), "TPM_PCRRead");
      if (!value) return std::unexpected(value.error());
      values.push_back({selection.algorithm, pcr, *std::move(value)});
    }
  }
  return values;
}

// "0,7", "0-3,8" as bits.
std::optional<std::uint32_t> parse_pcrs(std::string_view text) {
  std::uint32_t pcrs = 0;
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, end);
    const std::size_t dash = std::min(item.find('-'), item.size());
    const auto first = parse_number<std::uint32_t>(item.substr(0, dash));
    const auto last =
        dash == item.size() ? first : parse_number<std::uint32_t>(item.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kPcrCount) return std::nullopt;
    for (std::uint32_t pcr = *first; pcr <= *last; ++pcr) pcrs |= 1U << pcr;
    if (end == text.size()) return pcrs;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::expected<std::vector<PcrSelection>, std::string> parse_selection(std::string_view text) {
  std::vector<PcrSelection> selections;
  while (true) {
    const std::size_t end = std::min(text.find('+'), text.size());
    const std::string_view item = text.substr(0, end);
    const std::size_t colon = std::min(item.find(':'), item.size());
    const auto algorithm = bank_of(item.substr(0, colon));
    if (!algorithm) {
      return std::unexpected("'" + std::string(item.substr(0, colon)) + "' is no bank of PCRs");
    }
    const auto pcrs = colon == item.size() ? kAllPcrs : parse_pcrs(item.substr(colon + 1));
    if (!pcrs) {
      return std::unexpected("'" + std::string(item.substr(colon + 1)) +
                             "' is no list of PCRs from 0 to 23");
    }
    selections.push_back({*algorithm, *pcrs});
    if (end == text.size()) return selections;
    text.remove_prefix(end + 1);
  }
}

std::expected<std::vector<PcrSelection>, Failure> tpm_banks(Conversation& daemon) {
  const auto old = is_tpm12(daemon);
  if (!old) return std::unexpected(old.error());
  if (*old) return std::vector<PcrSelection>{{kSha1Bank, kAllPcrs}};
  Buffer parameters;
  ByteWriter writer(parameters);
  writer.be32(kCapPcrs);
  writer.be32(0);
  writer.be32(1);
  const auto answer = run(daemon, command_of(proto::kTagNoSessions, kGetCapability, parameters),
                          "TPM2_GetCapability");
  if (!answer) return std::unexpected(answer.error());
  ByteReader reader(*answer);
  reader.skip(1);
  if (reader.be32() != kCapPcrs) return bad_list();
  auto banks = read_selections(reader);
  if (!banks) return bad_list();
  std::erase_if(*banks, [](const PcrSelection& bank) { return bank.pcrs == 0; });
  return *std::move(banks);
}

std::expected<std::vector<PcrValue>, Failure> read_pcrs(Conversation& daemon,
                                                        const std::vector<PcrSelection>& wanted) {
  const auto old = is_tpm12(daemon);
  if (!old) return std::unexpected(old.error());
  if (*old) return read_pcrs12(daemon, wanted);
  std::vector<PcrValue> values;
  for (PcrSelection left : wanted) {
    while (left.pcrs != 0) {
      auto some = read_some(daemon, left);
      if (!some) return std::unexpected(some.error());
      std::ranges::move(*some, std::back_inserter(values));
    }
  }
  return values;
}

}  // namespace tbs::ctl
