#include "client/tbsctl/log/event_log.h"

#include <algorithm>
#include <array>

#include "client/tbsctl/pcr/pcr_value.h"
#include "proto/tpm/constants.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

constexpr std::uint16_t kSha1 = TPM2_ALG_SHA1;
constexpr std::uint16_t kSha1Size = 20;
// More algorithms than any TPM has; larger than any digest.
constexpr std::uint32_t kMaxKinds = 16;
constexpr std::uint16_t kMaxDigest = 128;
constexpr std::string_view kSpecIdSignature{"Spec ID Event03\0", 16};
constexpr std::size_t kFinalHeadSize = 16;
constexpr std::size_t kSignatureSize = 16;  // of every structure in an EV_NO_ACTION event

// TCG_EfiSpecIDEvent; nothing when the data is none.
std::optional<std::vector<DigestKind>> read_spec_id(Bytes data) {
  ByteReader reader(data);
  if (!std::ranges::equal(
          reader.take(kSpecIdSignature.size()), kSpecIdSignature,
          [](std::uint8_t a, char b) { return a == static_cast<unsigned char>(b); })) {
    return std::nullopt;
  }
  reader.skip(4 + 1 + 1 + 1 + 1);  // platform class, version, errata, size of an integer
  const std::uint32_t count = reader.le32();
  if (!reader.ok() || count == 0 || count > kMaxKinds) return std::nullopt;
  std::vector<DigestKind> kinds;
  for (std::uint32_t i = 0; i < count; ++i) {
    kinds.push_back({.algorithm = reader.le16(), .size = reader.le16()});
    if (kinds.back().size == 0 || kinds.back().size > kMaxDigest) return std::nullopt;
  }
  return reader.ok() ? std::optional(kinds) : std::nullopt;
}

// TCG_PCClientPCREvent.
std::optional<Event> read_sha1_event(ByteReader& reader) {
  Event event{.pcr = reader.le32(), .type = reader.le32()};
  event.digests.push_back({.algorithm = kSha1, .value = reader.take(kSha1Size)});
  event.data = reader.take(reader.le32());
  return reader.ok() ? std::optional(std::move(event)) : std::nullopt;
}

// By the first record; some firmware names fewer algorithms there than it uses.
std::optional<std::size_t> digest_size(const std::vector<DigestKind>& kinds,
                                       std::uint16_t algorithm) {
  const auto kind = std::ranges::find(kinds, algorithm, &DigestKind::algorithm);
  return kind == kinds.end() ? bank_digest_size(algorithm) : kind->size;
}

// TCG_PCR_EVENT2.
std::optional<Event> read_event(ByteReader& reader, const std::vector<DigestKind>& kinds) {
  Event event{.pcr = reader.le32(), .type = reader.le32()};
  const std::uint32_t count = reader.le32();
  if (!reader.ok() || count > kMaxKinds) return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t algorithm = reader.le16();
    const auto size = digest_size(kinds, algorithm);
    if (!size) return std::nullopt;
    event.digests.push_back({.algorithm = algorithm, .value = reader.take(*size)});
  }
  event.data = reader.take(reader.le32());
  return reader.ok() ? std::optional(std::move(event)) : std::nullopt;
}

bool is_filling(Bytes rest) {
  return std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0; }) ||
         std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0xFF; });
}

// EFI_TCG2_FINAL_EVENTS_TABLE: its version, and how many records follow. The words of a record
// would name an algorithm 0, which there is not.
bool is_final_head(Bytes rest) {
  ByteReader reader(rest);
  constexpr std::uint64_t kFinalVersion = 1;
  return reader.le64() == kFinalVersion && reader.le64() <= reader.remaining() && reader.ok();
}

void read_records(EventLog& log, Bytes bytes, std::size_t offset) {
  while (offset < bytes.size()) {
    const Bytes rest = bytes.subspan(offset);
    if (is_filling(rest)) return;
    ByteReader reader(rest);
    auto event = log.crypto_agile ? read_event(reader, log.kinds) : read_sha1_event(reader);
    if (!event && log.crypto_agile && !log.final_events && is_final_head(rest)) {
      log.final_events = log.events.size();
      offset += kFinalHeadSize;
      continue;
    }
    if (!event) {
      log.fault = "record " + std::to_string(log.events.size()) + " at byte " +
                  std::to_string(offset) + " is cut off or no record";
      return;
    }
    log.events.push_back(*std::move(event));
    offset += rest.size() - reader.remaining();
  }
}

}  // namespace

std::string_view signature_of(const Event& event) {
  if (event.type != kEvNoAction || event.data.size() < kSignatureSize) return {};
  const std::string_view field(reinterpret_cast<const char*>(event.data.data()), kSignatureSize);
  const std::string_view text = field.substr(0, field.find('\0'));
  const bool printable =
      std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
  const bool filled = field.find_first_not_of('\0', text.size()) == field.npos;
  return printable && filled ? text : std::string_view{};
}

std::optional<std::uint8_t> startup_locality(const Event& event) {
  if (signature_of(event) != "StartupLocality" || event.data.size() <= kSignatureSize) {
    return std::nullopt;
  }
  return event.data[kSignatureSize];
}

EventLog parse_event_log(Bytes bytes) {
  EventLog log{.kinds = {{.algorithm = kSha1, .size = kSha1Size}}};
  ByteReader reader(bytes);
  const auto first = read_sha1_event(reader);
  if (first && first->pcr == 0 && first->type == kEvNoAction) {
    if (auto kinds = read_spec_id(first->data)) {
      log.crypto_agile = true;
      log.kinds = *std::move(kinds);
      log.events.push_back(*first);
      read_records(log, bytes, bytes.size() - reader.remaining());
      return log;
    }
  }
  read_records(log, bytes, 0);
  return log;
}

}  // namespace tbs::ctl
