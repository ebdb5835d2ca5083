#include "client/tbsctl/pcr/read_pcrs.h"

#include <algorithm>
#include <optional>
#include <span>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/number.h"
#include "client/tbsctl/text/priority.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using proto::Buffer;
using proto::Bytes;

constexpr std::uint32_t kVersion12 = 1;
constexpr std::uint32_t kSelectBytes = 3;
constexpr std::uint32_t kAllPcrs = (1U << kPcrCount) - 1;

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

std::vector<PcrSelection> selections_of(const TPML_PCR_SELECTION& list) {
  std::vector<PcrSelection> selections;
  for (const TPMS_PCR_SELECTION& bank : std::span(list.pcrSelections).first(list.count)) {
    PcrSelection selection{.algorithm = bank.hash};
    for (std::uint32_t at = 0; at < std::min<std::uint32_t>(bank.sizeofSelect, kSelectBytes);
         ++at) {
      selection.pcrs |= std::uint32_t{bank.pcrSelect[at]} << (8 * at);
    }
    selections.push_back(selection);
  }
  return selections;
}

TPML_PCR_SELECTION list_of(const PcrSelection& selection) {
  TPML_PCR_SELECTION list{.count = 1, .pcrSelections = {}};
  TPMS_PCR_SELECTION& bank = list.pcrSelections[0];
  bank.hash = selection.algorithm;
  bank.sizeofSelect = kSelectBytes;
  for (unsigned at = 0; at < kSelectBytes; ++at) {
    bank.pcrSelect[at] = static_cast<std::uint8_t>(selection.pcrs >> (8 * at));
  }
  return list;
}

// As many of the wanted PCRs as one response holds, which are struck off `left`.
std::expected<std::vector<PcrValue>, Failure> read_some(Conversation& daemon, PcrSelection& left) {
  const auto parameters = run(daemon, tpm::build::pcr_read(list_of(left)), "TPM2_PCR_Read");
  if (!parameters) return std::unexpected(parameters.error());
  Bytes rest(*parameters);
  rest = rest.subspan(std::min(rest.size(), sizeof(std::uint32_t)));  // update counter
  const auto selected = tpm::take<TPML_PCR_SELECTION>(rest);
  const auto digests = tpm::take<TPML_DIGEST>(rest);
  if (!selected || selected->count > 1 || !digests) return bad_list();
  const auto got = selections_of(*selected);
  const std::uint32_t listed = got.empty() ? 0 : got.front().pcrs & left.pcrs;
  std::vector<PcrValue> values;
  for (std::uint32_t pcr = 0; pcr < kPcrCount && values.size() < digests->count; ++pcr) {
    if ((listed >> pcr & 1U) == 0) continue;
    const TPM2B_DIGEST& value = digests->digests[values.size()];
    values.push_back({left.algorithm, pcr, {value.buffer, value.buffer + value.size}});
  }
  if (values.size() != digests->count) return bad_list();
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
      auto value = run(daemon, tpm12::build::pcr_read(pcr), "TPM_PCRRead");
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
  const auto answer =
      run(daemon, tpm::build::get_capability(tpm::cap::kPcrs, 0, 1), "TPM2_GetCapability");
  if (!answer) return std::unexpected(answer.error());
  const auto list = tpm::parse_pcr_banks(*answer);
  if (!list) return bad_list();
  auto banks = selections_of(*list);
  std::erase_if(banks, [](const PcrSelection& bank) { return bank.pcrs == 0; });
  return banks;
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
