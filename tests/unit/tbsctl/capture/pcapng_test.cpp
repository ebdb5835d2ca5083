#include "client/tbsctl/capture/pcapng.h"

#include "tests/support/catch2.h"

using namespace tbs;
namespace pcapng = tbs::ctl::pcapng;

namespace {

// The types of the blocks; fails the test unless each has its length at both ends.
std::vector<std::uint32_t> block_types(proto::Bytes file) {
  std::vector<std::uint32_t> types;
  while (!file.empty()) {
    proto::ByteReader reader(file);
    types.push_back(reader.le32());
    const std::uint32_t length = reader.le32();
    REQUIRE(length % 4 == 0);
    REQUIRE(length >= 12);
    REQUIRE(length <= file.size());
    proto::ByteReader end(file.subspan(length - 4));
    REQUIRE(end.le32() == length);
    file = file.subspan(length);
  }
  return types;
}

}  // namespace

TEST_CASE("a capture file begins with a section and an interface", "[tbsctl][capture]") {
  proto::Buffer file;
  pcapng::append_header(file, "tbsctl");
  CHECK(block_types(file) == std::vector<std::uint32_t>{0x0A0D0D0A, 1});
  proto::ByteReader reader(file);
  reader.skip(8);
  CHECK(reader.le32() == 0x1A2B3C4D);
}

TEST_CASE("packets of any length, with and without a comment", "[tbsctl][capture]") {
  for (std::size_t size = 0; size < 9; ++size) {
    proto::Buffer file;
    const proto::Buffer packet(size, 0xAB);
    pcapng::append_packet(file, 0x0001'0203'0405'0607, packet, "");
    pcapng::append_packet(file, 0x0001'0203'0405'0607, packet, std::string(size + 1, 'c'));
    CHECK(block_types(file) == std::vector<std::uint32_t>{6, 6});
    proto::ByteReader reader(file);
    reader.skip(12);
    CHECK(reader.le32() == 0x00010203);
    CHECK(reader.le32() == 0x04050607);
    CHECK(reader.le32() == size);
    CHECK(reader.le32() == size);
  }
}
