#include "client/tbsctl/log/uefi/signature_list.h"

#include <map>
#include <utility>

#include "client/tbsctl/log/uefi/certificate.h"
#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::ByteReader;
using proto::Bytes;

constexpr std::size_t kGuidSize = 16;
constexpr std::uint32_t kListHead = kGuidSize + 3 * 4;
constexpr std::size_t kSha256Size = 32;

std::optional<EfiSignatureList> read_list(ByteReader& reader) {
  EfiSignatureList list{.kind = read_guid(reader), .signatures = {}};
  const std::uint32_t size = reader.le32();
  const std::uint32_t head = reader.le32();
  const std::uint32_t each = reader.le32();
  if (!reader.ok() || size < kListHead || each <= kGuidSize) return std::nullopt;
  ByteReader body(reader.take(size - kListHead));
  if (!reader.ok()) return std::nullopt;
  body.skip(head);
  if (!body.ok() || body.remaining() % each != 0) return std::nullopt;
  while (body.remaining() > 0) {
    EfiSignature signature{.owner = read_guid(body), .data = {}};
    signature.data = body.take(each - kGuidSize);
    list.signatures.push_back(std::move(signature));
  }
  return list;
}

std::string certificate_line(const Certificate& certificate, const std::string& owner) {
  std::string line = certificate.subject;
  if (!owner.empty()) line += "; owner " + named_guid(owner);
  if (certificate.issuer != certificate.subject) line += "; issuer " + certificate.issuer;
  return line + "; " + certificate.not_before + " to " + certificate.not_after + "; SHA-256 " +
         certificate.sha256;
}

ordered_json certificate_json(const Certificate& certificate, const std::string& owner) {
  ordered_json fields = {{"subject", certificate.subject},
                         {"issuer", certificate.issuer},
                         {"not_before", certificate.not_before},
                         {"not_after", certificate.not_after},
                         {"sha256", certificate.sha256}};
  if (owner.empty()) return fields;
  fields["owner"] = owner;
  fields["owner_name"] = guid_name(owner);
  return fields;
}

// What is not shown one by one, by kind and owner.
using Counts = std::map<std::pair<std::string, std::string>, std::size_t>;

void add_counts(Description& description, const Counts& counts) {
  ordered_json fields = ordered_json::array();
  for (const auto& [which, count] : counts) {
    const auto& [kind, owner] = which;
    if (description.parts.size() < kMostParts) {
      description.parts.push_back(counted(count, named_guid(kind)) + "; owner " +
                                  named_guid(owner));
    }
    fields.push_back({{"kind", kind},
                      {"kind_name", guid_name(kind)},
                      {"owner", owner},
                      {"owner_name", guid_name(owner)},
                      {"count", count}});
  }
  description.fields["others"] = fields;
}

std::string totals(std::size_t certificates, const Counts& counts) {
  std::map<std::string, std::size_t> kinds;
  for (const auto& [which, count] : counts) kinds[which.first] += count;
  std::string text = certificates > 0 ? counted(certificates, "certificate") : "";
  for (const auto& [kind, count] : kinds) {
    text += (text.empty() ? "" : ", ") + counted(count, named_guid(kind));
  }
  return text.empty() ? "empty" : log_text(text);
}

}  // namespace

std::optional<std::vector<EfiSignatureList>> read_signature_lists(Bytes bytes) {
  ByteReader reader(bytes);
  std::vector<EfiSignatureList> lists;
  while (reader.remaining() > 0) {
    auto list = read_list(reader);
    if (!list) return std::nullopt;
    lists.push_back(*std::move(list));
  }
  return lists;
}

Description describe_signature_lists(const std::vector<EfiSignatureList>& lists) {
  Description description;
  ordered_json certificates = ordered_json::array();
  std::size_t found = 0;
  Counts counts;
  for (const EfiSignatureList& list : lists) {
    for (const EfiSignature& signature : list.signatures) {
      const bool is_certificate = guid_name(list.kind) == "certificate" && found < kMostParts;
      const auto certificate =
          is_certificate ? read_certificate(signature.data) : std::optional<Certificate>{};
      if (!certificate) {
        ++counts[{list.kind, signature.owner}];
        continue;
      }
      ++found;
      description.parts.push_back(certificate_line(*certificate, signature.owner));
      certificates.push_back(certificate_json(*certificate, signature.owner));
    }
  }
  description.text = totals(found, counts);
  description.fields["certificates"] = certificates;
  add_counts(description, counts);
  return description;
}

std::optional<Description> describe_authority(Bytes bytes) {
  std::string owner;
  auto certificate = read_certificate(bytes);
  if (!certificate) {
    ByteReader reader(bytes);
    owner = read_guid(reader);
    if (!reader.ok()) return std::nullopt;
    const Bytes data = reader.rest();
    certificate = read_certificate(data);
    if (!certificate && data.size() == kSha256Size) {
      return Description{
          .text = "SHA-256 hash " + to_hex(data) + "; owner " + named_guid(owner),
          .parts = {},
          .fields = {{"sha256", to_hex(data)}, {"owner", owner}, {"owner_name", guid_name(owner)}}};
    }
  }
  if (!certificate) return std::nullopt;
  return Description{
      .text = certificate->subject,
      .parts = {certificate_line(*certificate, owner)},
      .fields = {{"certificates", ordered_json::array({certificate_json(*certificate, owner)})}}};
}

}  // namespace tbs::ctl
