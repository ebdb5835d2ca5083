#include "client/tbsctl/log/ima/template_data.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::ByteReader;
using proto::Bytes;

constexpr std::string_view kOldTemplate = "ima";
constexpr std::size_t kOldDigest = 20;
constexpr std::size_t kHashedName = 256;
constexpr std::size_t kMostFields = 16;

struct TemplateFormat {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array kTemplateFormats = {
    TemplateFormat{"ima-ng", "d-ng|n-ng"},
    TemplateFormat{"ima-ngv2", "d-ngv2|n-ng"},
    TemplateFormat{"ima-sig", "d-ng|n-ng|sig"},
    TemplateFormat{"ima-sigv2", "d-ngv2|n-ng|sig"},
    TemplateFormat{"ima-buf", "d-ng|n-ng|buf"},
    TemplateFormat{"ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig"},
    TemplateFormat{"evm-sig",
                   "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode"},
};

// A list of names of fields is a template's name too, when a user made it up.
std::vector<std::string_view> field_names(std::string_view name) {
  const auto* const found = std::ranges::find(kTemplateFormats, name, &TemplateFormat::name);
  std::string_view rest = found == kTemplateFormats.end() ? name : found->fields;
  std::vector<std::string_view> names;
  while (!rest.empty() && names.size() < kMostFields) {
    const std::size_t size = std::min(rest.find('|'), rest.size());
    names.push_back(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return names;
}

// "sha256:" and a zero, then the digest; "verity:sha256:" of the second version.
std::string digest_text(Bytes field) {
  const auto zero = std::ranges::find(field, std::uint8_t{0});
  if (zero == field.end()) return bytes_text(field);
  const auto size = static_cast<std::size_t>(zero - field.begin());
  const auto kind = plain_text(field.first(size));
  return kind ? log_text(*kind + to_hex(field.subspan(size + 1))) : bytes_text(field);
}

std::string name_of_file(Bytes field) {
  while (!field.empty() && field.back() == 0) field = field.first(field.size() - 1);
  return log_text(std::string(field.begin(), field.end()));
}

std::string field_text(std::string_view name, Bytes field) {
  if (name == "d-ng" || name == "d-ngv2" || name == "d-modsig") return digest_text(field);
  if (name == "d") return to_hex(field.first(std::min(field.size(), kOldDigest)));
  if (name == "n" || name == "n-ng" || name == "xattrnames") return name_of_file(field);
  if (name == "buf") {
    const auto text = plain_text(field);
    return text ? log_text(*text) : bytes_text(field);
  }
  return bytes_text(field);
}

Description describe_fields(const std::vector<std::string_view>& names,
                            const std::vector<Bytes>& fields) {
  ordered_json values = ordered_json::object();
  std::string file;
  std::string others;
  for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) {
    const std::string text = field_text(names[i], fields[i]);
    values[log_text(names[i])] = text;
    if (names[i] == "n-ng" || names[i] == "n") {
      file = text;
    } else if (names[i] == "sig" || names[i] == "evmsig" || names[i] == "modsig") {
      others += fields[i].empty() ? "" : ", signed";
    } else if (names[i] == "buf" || names[i].starts_with("d-ng") || names[i] == "d") {
      others += " " + text;
    }
  }
  return {.text = log_text(file + others), .parts = {}, .fields = values};
}

}  // namespace

std::optional<std::vector<Bytes>> template_fields(Bytes data) {
  ByteReader reader(data);
  std::vector<Bytes> fields;
  while (reader.remaining() > 0) {
    fields.push_back(reader.take(reader.le32()));
    if (!reader.ok() || fields.size() > kMostFields) return std::nullopt;
  }
  return fields;
}

Description describe_template(std::string_view name, Bytes data) {
  if (name == kOldTemplate) {
    ByteReader reader(data);
    const Bytes digest = reader.take(kOldDigest);
    const Bytes file = reader.take(reader.le32());
    if (reader.ok()) return describe_fields({"d", "n"}, {digest, file});
    return {.text = bytes_text(data), .parts = {}, .fields = {}};
  }
  const auto fields = template_fields(data);
  if (!fields) return {.text = bytes_text(data), .parts = {}, .fields = {}};
  const auto names = field_names(name);
  if (names.size() == fields->size()) return describe_fields(names, *fields);
  std::string text;
  for (const Bytes field : *fields) {
    text += (text.empty() ? "" : ", ") + log_text(plain_text(field).value_or(bytes_text(field)));
  }
  return {.text = log_text(text), .parts = {}, .fields = {}};
}

std::optional<proto::Buffer> hashed_of_old_template(Bytes data) {
  ByteReader reader(data);
  const Bytes digest = reader.take(kOldDigest);
  const Bytes name = reader.take(reader.le32());
  if (!reader.ok() || name.size() > kHashedName) return std::nullopt;
  proto::Buffer hashed(digest.begin(), digest.end());
  hashed.insert(hashed.end(), name.begin(), name.end());
  hashed.resize(kOldDigest + kHashedName);
  return hashed;
}

}  // namespace tbs::ctl
