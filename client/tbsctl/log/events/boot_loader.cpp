#include "client/tbsctl/log/events/boot_loader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

// The PCRs that systemd-stub and systemd-boot use, in UTF-16 (systemd's "TPM2 PCR Measurements").
constexpr std::uint32_t kKernelBoot = 11;
constexpr std::uint32_t kKernelConfig = 12;
constexpr std::uint32_t kSystemExtensions = 13;
constexpr std::uint32_t kShimPolicy = 14;
// GRUB: what it runs in 8, what it reads in 9.
constexpr std::uint32_t kGrubFiles = 9;

struct Prefix {
  std::string_view written;
  std::string_view words;
};
constexpr std::array kGrubPrefixes = {
    Prefix{"grub_cmd: ", "GRUB command: "},
    Prefix{"grub_kernel_cmdline ", "kernel command line by GRUB: "},
    Prefix{"kernel_cmdline: ", "kernel command line by GRUB: "},
    Prefix{"module_cmdline: ", "module command line by GRUB: "},
};

struct Tag {
  std::uint32_t id;
  std::string_view words;
};
constexpr std::array kTags = {
    Tag{0xF5BC582A, "configuration of systemd-boot"},
    Tag{0x6C46F751, "device tree for systemd-stub"},
    Tag{0x49DFFE0F, "initrd add-on for systemd-stub"},
    Tag{0xDAC08E1A, "microcode add-on for systemd-stub"},
    Tag{0x13AED6DB, "profile of the kernel image"},
    Tag{0xD5CB7CBC, "SMBIOS system information"},
    Tag{0xE0D47BC8, "SMBIOS board information"},
    Tag{0xC0B3BD23, "SMBIOS strings of the manufacturer"},
};

// A section is measured by its name, in ASCII with a zero, and then by its content; both records
// say the name.
bool is_name_of_section(const Event& event, const std::string& text) {
  proto::Buffer name(text.begin(), text.end());
  name.push_back(0);
  return std::ranges::any_of(event.digests, [&](const EventDigest& digest) {
    const auto expected = bank_digest(digest.algorithm, name);
    return expected && std::ranges::equal(*expected, digest.value);
  });
}

std::string systemd_text(const Event& event, const std::string& text) {
  const std::uint32_t pcr = event.pcr;
  if (pcr == kKernelBoot && text.starts_with('.')) {
    const bool named = is_name_of_section(event, text);
    return "section " + text + " of the kernel image" + (named ? ", its name" : "");
  }
  if (pcr == kSystemExtensions) return "systemd-stub: " + text;
  if (pcr != kKernelConfig) return text;
  const bool archive = text.ends_with("initrd") && text.find('=') == text.npos;
  return (archive ? "systemd-stub: " : "kernel command line: ") + text;
}

std::string loader_text(std::uint32_t pcr, const std::string& text) {
  for (const Prefix& prefix : kGrubPrefixes) {
    if (text.starts_with(prefix.written)) {
      return std::string(prefix.words) + text.substr(prefix.written.size());
    }
  }
  if (pcr == kShimPolicy && text.starts_with("Mok")) return "shim: " + text;
  if (pcr == kGrubFiles && text.find('/') != text.npos) return "file " + text;
  return text;
}

}  // namespace

Description describe_boot_loader(const Event& event) {
  if (is_wide(event.data)) {
    if (const auto text = utf16_text(event.data)) {
      return {
          .text = log_text(systemd_text(event, *text)), .parts = {}, .fields = {{"text", *text}}};
    }
  }
  const auto text = plain_text(event.data);
  if (!text) return {.text = bytes_text(event.data), .parts = {}, .fields = {}};
  return {
      .text = log_text(loader_text(event.pcr, *text)), .parts = {}, .fields = {{"text", *text}}};
}

Description describe_tagged(const Event& event) {
  ByteReader reader(event.data);
  const std::uint32_t id = reader.le32();
  const std::uint32_t size = reader.le32();
  const Bytes data = reader.take(size);
  if (!reader.ok()) return {.text = bytes_text(event.data), .parts = {}, .fields = {}};
  const auto text = is_wide(data) ? utf16_text(data) : plain_text(data);
  const auto* const tag = std::ranges::find(kTags, id, &Tag::id);
  const std::string what = tag == kTags.end() ? "tag " + hex_number(id) : std::string(tag->words);
  const std::string shown = text ? *text : bytes_text(data);
  return {.text = log_text(shown.empty() ? what : what + ": " + shown),
          .parts = {},
          .fields = {{"tag", id}, {"text", text.value_or("")}}};
}

}  // namespace tbs::ctl
