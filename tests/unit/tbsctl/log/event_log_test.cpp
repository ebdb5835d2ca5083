#include "client/tbsctl/log/event_log.h"

#include "client/tbsctl/log/event_text.h"
#include "tests/support/catch2.h"
#include "tests/support/event_log_writer.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::test::EventLogWriter;

namespace {

constexpr std::uint16_t kSha1 = 4;
constexpr std::uint16_t kSha256 = 11;

Buffer text(std::string_view letters) {
  return {letters.begin(), letters.end()};
}

EventLogWriter two_banks() {
  EventLogWriter writer;
  writer.spec_id({{kSha1, 20}, {kSha256, 32}});
  return writer;
}

std::string text_of(std::uint32_t type, const Buffer& data) {
  return event_text({.type = type, .data = data});
}

}  // namespace

TEST_CASE("a crypto-agile log", "[tbsctl][log]") {
  auto writer = two_banks();
  writer.agile(7, 4, {{kSha1, Buffer(20, 1)}, {kSha256, Buffer(32, 2)}}, text("abc"));
  writer.agile(23, 0xD, {{kSha256, Buffer(32, 3)}}, {});
  const EventLog log = parse_event_log(writer.bytes());
  CHECK(log.crypto_agile);
  CHECK(log.fault.empty());
  REQUIRE(log.kinds.size() == 2);
  CHECK(log.kinds[1].algorithm == kSha256);
  REQUIRE(log.events.size() == 3);
  CHECK(log.events[1].pcr == 7);
  REQUIRE(log.events[1].digests.size() == 2);
  CHECK(log.events[1].digests[1].value[31] == 2);
  CHECK(log.events[1].data.size() == 3);
  CHECK(log.events[2].digests.size() == 1);
}

TEST_CASE("a log of the old layout", "[tbsctl][log]") {
  EventLogWriter writer;
  writer.sha1(0, 8, Buffer(20, 9), text("1"));
  writer.sha1(4, 4, Buffer(20, 8), {});
  const EventLog log = parse_event_log(writer.bytes());
  CHECK_FALSE(log.crypto_agile);
  REQUIRE(log.events.size() == 2);
  CHECK(log.events[0].digests[0].value[0] == 9);
  CHECK(log.fault.empty());
}

TEST_CASE("every cut of a log ends in a fault, and shows what is before it", "[tbsctl][log]") {
  auto writer = two_banks();
  const std::size_t first = writer.bytes().size();
  writer.agile(1, 4, {{kSha1, Buffer(20, 1)}}, text("abc"));
  const Buffer whole = writer.bytes();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const EventLog log = parse_event_log(tbs::proto::Bytes(whole).first(size));
    CAPTURE(size);
    const bool at_a_border = size == first;
    // What looks like filling is taken for it: up to four zeros of the number of a PCR.
    if (size < 5) continue;
    CHECK(log.fault.empty() == at_a_border);
    CHECK(log.events.size() == (size < first ? 0U : 1U));
  }
  CHECK(parse_event_log({}).events.empty());
}

TEST_CASE("sizes that contradict the log are not believed", "[tbsctl][log]") {
  auto writer = two_banks();
  const std::size_t at = writer.bytes().size();
  writer.agile(1, 4, {{kSha1, Buffer(20, 1)}}, text("abc"));
  const Buffer good = writer.bytes();
  for (const std::size_t field : {at + 8, at + 12, at + 34}) {  // count, algorithm, event size
    Buffer bad = good;
    bad[field] = 0xFF;
    CHECK(parse_event_log(bad).fault.starts_with("record 1 at byte"));
  }
  // A list of digests that no TPM has makes the first record an ordinary one.
  EventLogWriter odd;
  odd.spec_id({{kSha1, 0}});
  CHECK_FALSE(parse_event_log(odd.bytes()).crypto_agile);
}

TEST_CASE("events in words", "[tbsctl][log]") {
  CHECK(event_name(4) == "EV_SEPARATOR");
  CHECK(event_name(0x80000001) == "EV_EFI_VARIABLE_DRIVER_CONFIG");
  CHECK(event_name(0x12345678) == "EV_0x12345678");
  CHECK(text_of(0xD, text("grub_cmd: boot\0")) == "GRUB command: boot");
  CHECK(text_of(4, {0, 0, 0, 0}) == "00000000");
  CHECK(text_of(8, {'1', 0, '.', 0, '0', 0, 0, 0}) == "1.0");
  CHECK(text_of(8, {1, 2, 3}) == "010203");
  CHECK(text_of(0xD, Buffer(40, 0xAB)).ends_with("... (40 bytes)"));
  CHECK(text_of(0xD, Buffer(400, 'x')).size() < 200);
  CHECK(text_of(3, text(std::string_view("StartupLocality\0\3", 17))) == "StartupLocality 3");
  // Structures that claim more than there is are shown as bytes.
  CHECK(text_of(0x80000001, Buffer(32, 0xFF)) == std::string(64, 'f'));
  CHECK(text_of(0x80000003, Buffer(32, 0xFF)) == std::string(64, 'f'));
}

TEST_CASE("firmware pads its events", "[tbsctl][log]") {
  CHECK(text_of(8, {'1', 0, '.', 0, '0', 0, 0, 0, 0, 0, 0, 0}) == "1.0");
  CHECK(text_of(8, {'1', 0, '.', 0, '0', 0}) == "1.0");
  CHECK(text_of(8, {'1', 0, '.', 0, '0', 0, 0}) == "1.0");
  CHECK(text_of(8, text(std::string_view("v1.2\0\0\0\0", 8))) == "v1.2");
  // Something after the text is not padding.
  CHECK(text_of(8, {'1', 0, 0, 0, '2', 0}) == "310000003200");
  CHECK(text_of(3, text(std::string_view("StartupLocality\0\3\0\0\0", 20))) == "StartupLocality 3");
  CHECK(text_of(0x80000010, text(std::string_view("HCRTM\0\0\0", 8))) == "HCRTM");
  CHECK(text_of(3, text("StartupLocality")) == "StartupLocality");
  CHECK(startup_locality({.type = 3, .data = {}}) == std::nullopt);
}

TEST_CASE("structures of the events in words", "[tbsctl][log]") {
  const Buffer guid{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                    0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
  CHECK(text_of(8, guid) == "8be4df61-93ca-11d2-aa0d-00e098032b8c");
  Buffer blob;
  tbs::proto::ByteWriter writer(blob);
  for (const std::uint32_t word : {0xFF000000U, 0U, 0x10000U, 0U}) writer.le32(word);
  CHECK(text_of(0x80000008, blob) == "65536 bytes at 0xff000000");
  Buffer described{3, 'P', 'E', 'I'};
  described.insert(described.end(), blob.begin(), blob.end());
  CHECK(text_of(0x8000000A, described) == "PEI, 65536 bytes at 0xff000000");
  CHECK(text_of(0x8000000A, {200, 1, 2}) == "c80102");
  Buffer remark = text(std::string_view("SP800-155 Event\0", 16));
  remark.push_back(0xFF);
  CHECK(text_of(3, remark) == "SP800-155 Event");
}

TEST_CASE("events in words cannot steer a terminal", "[tbsctl][log]") {
  CHECK(text_of(kEvNoAction, text("Spec ID Event\x1b[2J")) == "53706563204944204576656e741b5b324a");
  // A device path of many files, at the end of an UEFI_IMAGE_LOAD_EVENT.
  Buffer path;
  for (int i = 0; i < 50; ++i) {
    tbs::proto::ByteWriter(path).be32(0x04044000);
    path.resize(path.size() + 60, 'a');
  }
  Buffer image(32);
  tbs::proto::ByteWriter(image).bytes(path);
  image[24] = static_cast<std::uint8_t>(path.size());
  image[25] = static_cast<std::uint8_t>(path.size() >> 8);
  CHECK(text_of(0x80000003, image).size() < 200);
}
