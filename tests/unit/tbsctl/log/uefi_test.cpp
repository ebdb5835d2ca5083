#include <algorithm>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/uefi/certificate.h"
#include "client/tbsctl/log/uefi/device_path.h"
#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/uefi/signature_list.h"
#include "client/tbsctl/log/words/log_text.h"
#include "proto/byte_writer.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::proto::ByteWriter;

namespace {

// EFI_SIGNATURE_LIST of SHA-256 hashes, owned by Microsoft.
Buffer hash_list(std::uint32_t count) {
  const Buffer kind{0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
                    0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28};
  const Buffer owner{0xbd, 0x9a, 0xfa, 0x77, 0x59, 0x03, 0x32, 0x4d,
                     0xbd, 0x60, 0x28, 0xf4, 0xe7, 0x8f, 0x78, 0x4b};
  Buffer list;
  ByteWriter writer(list);
  writer.bytes(kind);
  writer.le32(28 + count * 48);
  writer.le32(0);
  writer.le32(48);
  for (std::uint32_t i = 0; i < count; ++i) {
    writer.bytes(owner);
    writer.bytes(Buffer(32, static_cast<std::uint8_t>(i)));
  }
  return list;
}

std::string words(std::uint32_t type, const Buffer& data) {
  return event_text({.pcr = 1, .type = type, .digests = {}, .data = data});
}

}  // namespace

TEST_CASE("texts of a log fit on a line", "[tbsctl][log]") {
  CHECK(log_text("a\nb\tc\n") == "a b c");
  CHECK(log_text("\x1b[2J") == "?[2J");
  CHECK(log_text(std::string(500, 'x')) == std::string(160, 'x') + "...");
  // Not in the middle of a character.
  const std::string cut = log_text(std::string(159, 'x') + "\u00fc" + std::string(20, 'x'));
  CHECK(cut == std::string(159, 'x') + "...");
  CHECK(utf16(Buffer{0x3d, 0xd8, 0x00, 0xde, 'a', 0}) == "\U0001F600a");
  CHECK(utf16(Buffer{0x3d, 0xd8, 'a', 0, 0x00, 0xde}) == "\uFFFDa\uFFFD");
  CHECK_FALSE(plain_text(Buffer{0xFF, 'a'}).has_value());
  CHECK(size_text(1536) == "1.5 KiB");
  CHECK(size_text(0) == "0 bytes");
}

TEST_CASE("hashes are counted by their owner", "[tbsctl][log]") {
  const Buffer bytes = hash_list(3);
  const auto lists = read_signature_lists(bytes);
  REQUIRE(lists.has_value());
  const Description description = describe_signature_lists(*lists);
  CHECK(description.text == "3 SHA-256 hashes");
  REQUIRE(description.parts.size() == 1);
  CHECK(description.parts[0] == "3 SHA-256 hashes; owner Microsoft");
  CHECK(description.fields["others"][0]["count"] == 3);
}

TEST_CASE("a list of signatures that lies is none", "[tbsctl][log]") {
  const Buffer whole = hash_list(2);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_signature_lists(tbs::proto::Bytes(whole).first(size)).has_value());
  }
  for (const std::size_t field : {16U, 20U, 24U}) {  // sizes of the list, its head, a signature
    Buffer bad = whole;
    bad[field + 3] = 0xFF;
    CHECK_FALSE(read_signature_lists(bad).has_value());
    bad = whole;
    std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(field), 4, std::uint8_t{0});
    CHECK(read_signature_lists(bad).has_value() == (field == 20));
  }
  CHECK_FALSE(read_certificate(whole).has_value());
  CHECK_FALSE(read_certificate({}).has_value());
}

TEST_CASE("a device path ends where it is no path", "[tbsctl][log]") {
  const Buffer node{4, 4, 8, 0, 'a', 0, 0, 0};
  CHECK(read_device_path(node).file == "a");
  Buffer twice = node;
  twice.insert(twice.end(), node.begin(), node.end() - 1);  // cut
  CHECK(read_device_path(twice).text == "a");
  CHECK(read_device_path(Buffer{4, 4, 3, 0}).text.empty());
  CHECK(read_device_path(Buffer{1, 1, 5, 0, 2}).text == "Path(1,1,02)");
  CHECK(read_device_path({}).text.empty());
}

TEST_CASE("digests are those of the data where the profile says so", "[tbsctl][log]") {
  const Buffer data(4);
  const Buffer other(32, 1);
  const auto fits = [&](std::uint32_t type, std::uint16_t algorithm, const Buffer& value) {
    return digests_fit({.pcr = 1, .type = type, .digests = {{algorithm, value}}, .data = data});
  };
  CHECK(fits(4, 11, other) == false);
  CHECK(fits(4, 0x99, other) == std::nullopt);
  CHECK(fits(0xD, 11, other) == std::nullopt);
}

TEST_CASE("types of events that are new or unknown have words", "[tbsctl][log]") {
  CHECK(event_name(0x800000E3) == "EV_EFI_SPDM_DEVICE_POLICY");
  CHECK(event_name(0x800000E4) == "EV_EFI_SPDM_DEVICE_AUTHORITY");
  CHECK(event_name(0x800000FF) == "EV_0x800000FF");
  CHECK(words(0x06, {0x2A, 0x58, 0xBC, 0xF5, 4, 0, 0, 0, 'a', 0, 0, 0}) ==
        "configuration of systemd-boot: a");
  CHECK(words(0x06, {1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}) == "01000000ffffffff");
  CHECK(words(0x04, {1, 0, 0, 0}) == "01000000 (an error came before)");
  CHECK(guid_name("77fa9abd-0359-4d32-bd60-28f4e78f784b") == "Microsoft");
}
