#include "client/tbsctl/log/ima/measurement_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/tbsctl/log/ima/binary_list.h"
#include "client/tbsctl/log/ima/template_data.h"
#include "client/tbsctl/log/ima/text_list.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

// Of SHA-1, SHA-256, SHA-384 and SHA-512.
constexpr std::array<std::size_t, 4> kImaDigestSizes = {20, 32, 48, 64};

bool is_text(proto::Bytes bytes) {
  const auto end = std::ranges::find(bytes, std::uint8_t{' '});
  return end != bytes.begin() && end != bytes.end() &&
         std::all_of(bytes.begin(), end,
                     [](std::uint8_t byte) { return byte >= '0' && byte <= '9'; });
}

// The list does not tell how long its digests are; the size that reads most of it is the right one.
ImaEntries read_binary(proto::Bytes bytes) {
  ImaEntries best;
  for (const std::size_t size : kImaDigestSizes) {
    ImaEntries list = read_binary_list(bytes, size);
    if (list.fault.empty()) return list;
    if (list.entries.size() > best.entries.size() || best.fault.empty()) best = std::move(list);
  }
  return best;
}

// A file that changed while it was measured, or was open for writing: zeros in the list, ones in
// the TPM.
bool is_violation(const ImaEntry& entry) {
  return std::ranges::all_of(entry.digest, [](std::uint8_t byte) { return byte == 0; });
}

LaterRecord record_of(const ImaEntry& entry, const ImaBanks& banks) {
  LaterRecord record{.name = log_text(entry.template_name),
                     .pcr = entry.pcr,
                     .nv_index = {},
                     .digests = ima_digests(entry, banks),
                     .description = {}};
  if (entry.text.empty()) {
    record.description = describe_template(entry.template_name, entry.data);
  } else {
    record.description.text = log_text(entry.text);
  }
  if (is_violation(entry)) {
    record.description.text =
        log_text(record.description.text + " (changed while it was measured)");
  }
  return record;
}

}  // namespace

std::vector<LaterDigest> ima_digests(const ImaEntry& entry, const ImaBanks& banks) {
  constexpr std::size_t kImaSha1Size = 20;
  std::vector<LaterDigest> digests;
  for (const std::uint16_t bank : banks) {
    const auto size = bank_digest_size(bank);
    if (!size) continue;
    LaterDigest digest{.algorithm = bank, .value = {}, .old_value = {}};
    const bool listed = *size == entry.digest.size();
    if (is_violation(entry)) {
      digest.value.assign(*size, 0xFF);
    } else if (listed && (bank == kSha1Bank || entry.hashed.empty())) {
      digest.value = entry.digest;
    } else if (!entry.hashed.empty()) {
      digest.value = bank_digest(bank, entry.hashed).value_or(proto::Buffer(*size));
    }
    const bool could_be_old = entry.digest.size() == kImaSha1Size && *size > kImaSha1Size;
    if (could_be_old && !is_violation(entry)) {
      digest.old_value = entry.digest;
      digest.old_value.resize(*size);
      if (digest.value.empty()) digest.value = std::exchange(digest.old_value, {});
    }
    if (!digest.value.empty()) digests.push_back(std::move(digest));
  }
  return digests;
}

LaterLog read_ima_list(proto::Bytes bytes, const ImaBanks& banks) {
  const bool text = is_text(bytes);
  const ImaEntries list = text ? read_text_list(bytes) : read_binary(bytes);
  LaterLog log{.format = text ? "ima-ascii" : "ima", .records = {}, .fault = list.fault};
  log.records.reserve(list.entries.size());
  for (const ImaEntry& entry : list.entries) log.records.push_back(record_of(entry, banks));
  return log;
}

}  // namespace tbs::ctl
