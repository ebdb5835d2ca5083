#include <algorithm>

#include "client/tbsctl/log/ima/measurement_list.h"
#include "client/tbsctl/log/log_sources.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/log/userspace/measure_log.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "proto/byte_writer.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;
using tbs::proto::ByteWriter;

namespace {

constexpr std::uint16_t kSha1 = 4;
constexpr std::uint16_t kSha256 = 11;

Buffer bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

void put_sized(ByteWriter& writer, const Buffer& bytes) {
  writer.le32(static_cast<std::uint32_t>(bytes.size()));
  writer.bytes(bytes);
}

// Data of "ima-ng": a digest of one kind, and a name.
Buffer ng_data(const std::string& name) {
  Buffer digest = bytes_of("sha256:");
  digest.resize(8 + 32);
  Buffer data;
  ByteWriter writer(data);
  put_sized(writer, digest);
  put_sized(writer, bytes_of(name + '\0'));
  return data;
}

Buffer ng_entry(const std::string& name, bool violation = false) {
  const Buffer data = ng_data(name);
  Buffer entry;
  ByteWriter writer(entry);
  writer.le32(10);
  writer.bytes(violation ? Buffer(20) : *bank_digest(kSha1, data));
  put_sized(writer, bytes_of("ima-ng"));
  put_sized(writer, data);
  return entry;
}

}  // namespace

TEST_CASE("IMA's list gives each bank its own digest", "[tbsctl][log]") {
  const LaterLog log = read_ima_list(ng_entry("/usr/bin/true"), {kSha1, kSha256, 0x99});
  CHECK(log.format == "ima");
  CHECK(log.fault.empty());
  REQUIRE(log.records.size() == 1);
  CHECK(log.records[0].pcr == 10);
  CHECK(log.records[0].name == "ima-ng");
  CHECK(log.records[0].description.text == "/usr/bin/true sha256:" + std::string(64, '0'));
  REQUIRE(log.records[0].digests.size() == 2);
  CHECK(log.records[0].digests[1].value == *bank_digest(kSha256, ng_data("/usr/bin/true")));
  CHECK(log.records[0].digests[0].old_value.empty());
}

TEST_CASE("a kernel that pads SHA-1 is known by its PCR", "[tbsctl][log]") {
  const LaterLog log = read_ima_list(ng_entry("/a"), {kSha256});
  const auto replayed = replay({}, log.records);
  REQUIRE(replayed.size() == 1);
  Buffer padded = *bank_digest(kSha1, ng_data("/a"));
  padded.resize(32);
  for (const Buffer& extended : {padded, *bank_digest(kSha256, ng_data("/a"))}) {
    const std::vector<PcrValue> tpm{{kSha256, 10, *pcr_extend(kSha256, Buffer(32), extended)}};
    CHECK(compare(replayed, tpm).at(0).agreement == Agreement::Equal);
  }
}

TEST_CASE("a file that changed while IMA measured it extends ones", "[tbsctl][log]") {
  const LaterLog log = read_ima_list(ng_entry("/a", true), {kSha1, kSha256});
  REQUIRE(log.records.size() == 1);
  for (const LaterDigest& digest : log.records[0].digests) {
    CHECK(std::ranges::all_of(digest.value, [](std::uint8_t byte) { return byte == 0xFF; }));
    CHECK(digest.old_value.empty());
  }
}

TEST_CASE("every cut of IMA's list ends in a fault, and shows what is before it", "[tbsctl][log]") {
  Buffer list = ng_entry("/a");
  const std::size_t first = list.size();
  const Buffer second = ng_entry("/b");
  list.insert(list.end(), second.begin(), second.end());
  for (std::size_t size = first + 1; size < list.size(); ++size) {
    const LaterLog log = read_ima_list(tbs::proto::Bytes(list).first(size), {kSha1});
    CAPTURE(size);
    CHECK_FALSE(log.fault.empty());
    CHECK(log.records.size() == 1);
  }
}

TEST_CASE("systemd's log has PCRs and NvPCRs", "[tbsctl][log]") {
  const std::string digest =
      R"([{"hashAlg":"sha1","digest":"0102030405060708090a0b0c0d0e0f1011121314"},)"
      R"({"hashAlg":"sha256","digest":"00"},{"hashAlg":"md5","digest":"00"}])";
  const LaterLog log = read_measure_log(
      bytes_of("\x1e{\"pcr\":11,\"digests\":" + digest +
               R"(,"content":{"eventType":"phase","string":"ready","timestamp":7}})" + "\n\x1e" +
               R"({"nv_index":30474752,"digests":[],"content":{"eventType":"new-thing"}})" + "\n"));
  CHECK(log.fault.empty());
  REQUIRE(log.records.size() == 2);
  CHECK(log.records[0].pcr == 11);
  CHECK(log.records[0].description.text == "boot phase: ready");
  CHECK(log.records[0].description.fields["boot_time_us"] == 7);
  // A digest of the wrong size, or of an algorithm that there is not, is none.
  REQUIRE(log.records[0].digests.size() == 1);
  CHECK(log.records[0].digests[0].value[19] == 0x14);
  CHECK_FALSE(log.records[1].pcr.has_value());
  CHECK(log.records[1].nv_index == "0x1d10200");
  CHECK(log.records[1].description.text == "new-thing");
}

TEST_CASE("NvPCRs have a number and a beginning", "[tbsctl][log]") {
  const auto init = [](const std::string& text) {
    return "\x1e{\"pcr\":9,\"digests\":[],\"content\":{\"eventType\":\"nvpcr-init\",\"string\":\"" +
           text + "\"}}\n";
  };
  const auto of = [](const std::string& name) {
    return "\x1e{\"digests\":[],\"content\":{\"nvIndexName\":\"" + name + "\"}}\n";
  };
  const std::string value(64, '5');
  const LaterLog log = read_measure_log(bytes_of(
      init("nvpcr-init:mine:0x1d10207:sha256:" + value) +
      init("nvpcr-init:later:0x1d10208:000b55") + init("nvpcr-init:wrong:0x1d10209:sha256:55") +
      init("nvpcr-init:far:0x81000001:sha256:" + value) + of("mine") + of("later") + of("wrong") +
      of("far") + of("login") + of("unheard-of") + "\x1e{\"nv_index\":7,\"digests\":[]}\n"));
  CHECK(log.fault.empty());
  REQUIRE(log.records.size() == 11);
  REQUIRE(log.records[0].nv_start);
  CHECK(log.records[0].nv_start->number == 0x1D10207);
  CHECK(log.records[0].nv_start->value == Buffer(32, std::uint8_t{0x55}));
  for (const std::size_t without : {1U, 2U, 3U}) CHECK_FALSE(log.records[without].nv_start);
  CHECK(log.records[4].nv_number == 0x1D10207);
  CHECK(log.records[5].nv_number == 0x1D10208);
  CHECK(log.records[6].nv_number == 0x1D10209);
  CHECK_FALSE(log.records[7].nv_number);
  CHECK(log.records[8].nv_number == 0x1D10203);
  CHECK_FALSE(log.records[9].nv_number);
  CHECK(log.records[10].nv_index == "0x7");
  CHECK_FALSE(log.records[10].nv_number);
}

TEST_CASE("what is no measurement ends systemd's log", "[tbsctl][log]") {
  for (const std::string bad : {"x", "[]", "{}", "{\"pcr\":99}", "{\"pcr\":-1}", "{\"pcr\":1"}) {
    CAPTURE(bad);
    CHECK(read_measure_log(bytes_of("\x1e" + bad + "\n")).fault == "record 0 is no measurement");
  }
  const std::string deep = "{\"pcr\":1,\"a\":" + std::string(40, '[') + std::string(40, ']') + "}";
  CHECK_FALSE(read_measure_log(bytes_of(deep)).fault.empty());
}

TEST_CASE("a log is known by how it begins", "[tbsctl][log]") {
  CHECK(kind_of_log(ng_entry("/a")) == LogKind::Ima);
  CHECK(kind_of_log(bytes_of("10 0102 ima-ng sha256:00 /a\n")) == LogKind::Ima);
  CHECK(kind_of_log(bytes_of("\x1e{}")) == LogKind::Systemd);
  CHECK(kind_of_log(Buffer(100)) == LogKind::Firmware);
  CHECK(kind_of_log({}) == LogKind::Firmware);
}
