#include "client/tbsctl/log/events/no_action.h"

#include <optional>
#include <string_view>

#include "client/tbsctl/log/events/device_security.h"
#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::ByteReader;
using proto::Bytes;

constexpr std::size_t kSignature = 16;

Description only_text(std::string text) {
  return {.text = std::move(text), .parts = {}, .fields = {}};
}

// A text with its size in front, in one byte.
std::string sized_text(ByteReader& reader) {
  return log_text(plain_text(reader.take(reader.u8())).value_or(""));
}

// "Spec ID Event03, version 2.0 errata 105; sha1, sha256".
std::optional<Description> describe_spec_id(Bytes bytes, std::string_view name) {
  ByteReader reader(bytes);
  reader.skip(kSignature + 4);  // platform class
  const unsigned minor = reader.u8();
  const unsigned major = reader.u8();
  const unsigned errata = reader.u8();
  reader.skip(1);  // size of an integer
  if (!reader.ok()) return std::nullopt;
  const std::string version = std::to_string(major) + "." + std::to_string(minor);
  Description description{
      .text = std::string(name) + ", version " + version + " errata " + std::to_string(errata),
      .parts = {},
      .fields = {{"version", version}, {"errata", errata}}};
  if (name != "Spec ID Event03") return description;
  ordered_json banks = ordered_json::array();
  std::uint32_t count = reader.le32();
  for (; count > 0 && reader.remaining() >= 4; --count) {
    banks.push_back(bank_name(reader.le16()));
    reader.skip(2);
  }
  for (const ordered_json& bank : banks) {
    description.text += (&bank == &banks.front() ? "; " : ", ") + bank.get<std::string>();
  }
  description.text = log_text(description.text);
  description.fields["banks"] = banks;
  return description;
}

// TCG_Sp800_155_PlatformId_Event and the two that followed it.
std::optional<Description> describe_platform(Bytes bytes, std::string_view name) {
  ByteReader reader(bytes);
  reader.skip(kSignature);
  ordered_json fields = {{"vendor", reader.le32()}, {"manifest", read_guid(reader)}};
  if (!reader.ok()) return std::nullopt;
  std::string text = std::string(name);
  if (name != "SP800-155 Event") {
    const std::string maker = sized_text(reader);
    const std::string model = sized_text(reader);
    const std::string version = sized_text(reader);
    const std::string firmware_maker = sized_text(reader);
    reader.skip(4);
    const std::string firmware = sized_text(reader);
    if (!reader.ok()) return std::nullopt;
    fields.update({{"platform_manufacturer", maker},
                   {"platform_model", model},
                   {"platform_version", version},
                   {"firmware_manufacturer", firmware_maker},
                   {"firmware_version", firmware}});
    text += ": " + maker + " " + model + " " + version + ", firmware " + firmware_maker + " " +
            firmware;
  }
  text += ", manifest " + fields["manifest"].get<std::string>();
  return Description{.text = log_text(text), .parts = {}, .fields = fields};
}

// A part that an H-CRTM measured.
std::optional<Description> describe_component(Bytes bytes) {
  ByteReader reader(bytes);
  reader.skip(kSignature);
  const std::string part = sized_text(reader);
  if (!reader.ok()) return std::nullopt;
  return only_text("H-CRTM CompMeas: " + part);
}

// What went into an NV index instead of a PCR.
std::optional<Description> describe_nv_index(Bytes bytes, std::string_view name) {
  ByteReader reader(bytes);
  reader.skip(kSignature + 2 + 6);  // version, reserved
  if (name == "NvIndexInstance") {
    auto device = describe_device_security(reader.rest());
    if (device) device->text = log_text("NvIndexInstance: " + device->text);
    return device;
  }
  reader.skip(8);  // of the device
  const auto what = plain_text(reader.take(reader.le16()));
  if (!reader.ok() || !what) return std::nullopt;
  return only_text(log_text("NvIndexDynamic: " + *what));
}

std::optional<Description> describe_signed(const Event& event, std::string_view name) {
  if (name.starts_with("Spec ID Event")) return describe_spec_id(event.data, name);
  if (name.starts_with("SP800-155 Event")) return describe_platform(event.data, name);
  if (name == "H-CRTM CompMeas") return describe_component(event.data);
  if (name.starts_with("NvIndex")) return describe_nv_index(event.data, name);
  return std::nullopt;
}

}  // namespace

Description describe_no_action(const Event& event) {
  if (const auto locality = startup_locality(event)) {
    return {.text = "StartupLocality " + std::to_string(*locality),
            .parts = {},
            .fields = {{"startup_locality", *locality}}};
  }
  std::string_view name = signature_of(event);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (auto known = describe_signed(event, name)) return *std::move(known);
  if (const auto plain = plain_text(event.data)) return only_text(log_text(*plain));
  return only_text(name.empty() ? bytes_text(event.data) : std::string(name));
}

}  // namespace tbs::ctl
