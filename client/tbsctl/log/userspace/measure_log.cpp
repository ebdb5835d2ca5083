#include "client/tbsctl/log/userspace/measure_log.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "client/tbsctl/log/userspace/nvpcr_init.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostRecord = 1U << 20;
constexpr int kMostDepth = 16;
constexpr std::size_t kMostDigests = 16;
constexpr std::size_t kMostNamed = 256;

struct EventWord {
  std::string_view type;
  std::string_view words;
};
constexpr std::array kEventWordsOfSystemd = {
    EventWord{"phase", "boot phase"},
    EventWord{"filesystem", "file system"},
    EventWord{"volume-key", "key of a volume"},
    EventWord{"machine-id", "machine ID"},
    EventWord{"product-id", "product ID"},
    EventWord{"keyslot", "how a volume was unlocked"},
    EventWord{"nvpcr-init", "an NvPCR begins"},
    EventWord{"nvpcr-separator", "all NvPCRs have begun"},
    EventWord{"dm-verity", "verity image"},
    EventWord{"login", "a user logs in"},
    EventWord{"os-separator", "firmware's part ends"},
};

std::string string_in(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::optional<std::uint64_t> number_in(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::optional<LaterDigest> read_digest(const ordered_json& value) {
  if (!value.is_object()) return std::nullopt;
  const auto algorithm = bank_of(string_in(value, "hashAlg"));
  const auto digest = parse_hex(string_in(value, "digest"));
  if (!algorithm || !digest || bank_digest_size(*algorithm) != digest->size()) return std::nullopt;
  return LaterDigest{.algorithm = *algorithm, .value = *digest, .old_value = {}};
}

std::vector<LaterDigest> read_digests(const ordered_json& record) {
  std::vector<LaterDigest> digests;
  const auto values = record.find("digests");
  if (values == record.end() || !values->is_array()) return digests;
  for (const ordered_json& value : *values) {
    auto digest = read_digest(value);
    if (digest && digests.size() < kMostDigests) digests.push_back(*std::move(digest));
  }
  return digests;
}

std::optional<std::uint64_t> nv_number_in(const ordered_json& record) {
  for (const char* const field : {"nv_index", "nvIndex", "nvindex"}) {
    if (const auto number = number_in(record, field)) return number;
  }
  return std::nullopt;
}

// An NvPCR has a name in the content, and a number beside it.
std::string nv_index_of(const ordered_json& record, const ordered_json& content) {
  const std::string name = string_in(content, "nvIndexName");
  if (!name.empty()) return log_text(name);
  const auto number = nv_number_in(record);
  return number ? hex_number(*number) : std::string{};
}

// The number of an NvPCR: that of the record, or what the log has said before of its name.
std::optional<std::uint32_t> nv_number_of(const ordered_json& record, const std::string& name,
                                          const std::map<std::string, std::uint32_t>& named) {
  if (const auto number = nv_number_in(record)) {
    return is_nv_index(*number) ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
  }
  const auto found = named.find(name);
  if (found != named.end()) return found->second;
  return assigned_nvpcr(name);
}

Description describe_content(const ordered_json& content, const std::string& type) {
  const auto* const found = std::ranges::find(kEventWordsOfSystemd, type, &EventWord::type);
  const std::string what = string_in(content, "string");
  std::string text = found == kEventWordsOfSystemd.end() ? type : std::string(found->words);
  if (!what.empty()) text += (text.empty() ? "" : ": ") + what;
  ordered_json fields = {{"event_type", log_text(type)}, {"string", log_text(what)}};
  const std::string boot = string_in(content, "bootId");
  if (!boot.empty()) fields["boot_id"] = log_text(boot);
  if (const auto time = number_in(content, "timestamp")) fields["boot_time_us"] = *time;
  return {.text = log_text(text), .parts = {}, .fields = fields};
}

// `named`: numbers of NvPCRs that the log has told so far.
std::optional<LaterRecord> read_record(const ordered_json& record,
                                       std::map<std::string, std::uint32_t>& named) {
  if (!record.is_object()) return std::nullopt;
  const auto found = record.find("content");
  const ordered_json empty = ordered_json::object();
  const ordered_json& content = found != record.end() && found->is_object() ? *found : empty;
  const std::string type = string_in(content, "eventType");
  LaterRecord read{.name = type.empty() ? "systemd" : log_text(type),
                   .pcr = std::nullopt,
                   .nv_index = nv_index_of(record, content),
                   .digests = read_digests(record),
                   .description = describe_content(content, type)};
  const auto pcr = number_in(record, "pcr");
  if (pcr && *pcr < kPcrCount) read.pcr = static_cast<std::uint32_t>(*pcr);
  if (!read.pcr && read.nv_index.empty()) return std::nullopt;
  if (!read.pcr) {
    read.nv_number = nv_number_of(record, string_in(content, "nvIndexName"), named);
  } else if (auto init = read_nvpcr_init(string_in(content, "string"))) {
    if (named.size() < kMostNamed) named.insert_or_assign(init->name, init->number);
    read.nv_start = std::move(init->start);
  }
  return read;
}

// Nothing for what is no JSON, or nested too deeply.
std::optional<ordered_json> parse_document(std::string_view text) {
  bool deep = false;
  const auto watch = [&](int depth, ordered_json::parse_event_t, ordered_json&) {
    deep = deep || depth > kMostDepth;
    return !deep;
  };
  ordered_json document = ordered_json::parse(text, watch, false);
  if (deep || document.is_discarded()) return std::nullopt;
  // In so many words: JSON itself can be made of anything, an optional as well.
  return std::make_optional(std::move(document));
}

}  // namespace

LaterLog read_measure_log(proto::Bytes bytes) {
  LaterLog log{.format = "systemd", .records = {}, .fault = {}};
  std::map<std::string, std::uint32_t> named;
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!rest.empty()) {
    const std::size_t size = std::min(rest.find_first_of("\n\x1e"), rest.size());
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const auto document = size <= kMostRecord ? parse_document(line) : std::nullopt;
    auto record = document ? read_record(*document, named) : std::nullopt;
    if (!record) {
      log.fault = "record " + std::to_string(log.records.size()) + " is no measurement";
      break;
    }
    log.records.push_back(*std::move(record));
  }
  return log;
}

}  // namespace tbs::ctl
