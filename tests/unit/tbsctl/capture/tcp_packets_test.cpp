#include "client/tbsctl/capture/tcp_packets.h"

#include <algorithm>

#include "tests/support/catch2.h"

using namespace tbs;
using ctl::TcpPackets;

namespace {

struct Packet {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  proto::Buffer bytes;
};

// The sum over what a right checksum covers is all ones (RFC 1071).
std::uint32_t folded(proto::Bytes bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16U);
  return sum;
}

Packet read(const proto::Buffer& whole) {
  const proto::Bytes bytes = whole;
  proto::ByteReader reader(bytes);
  CHECK(reader.u8() == 0x45);
  reader.skip(1);
  CHECK(reader.be16() == whole.size());
  CHECK(folded(bytes.first(20), 0) == 0xFFFF);
  const auto tcp = static_cast<std::uint32_t>(whole.size() - 20);
  CHECK(folded(bytes.subspan(20), folded(bytes.subspan(12, 8), 6 + tcp)) == 0xFFFF);
  reader.skip(16);
  Packet packet{.from = reader.be16(),
                .to = reader.be16(),
                .sequence = reader.be32(),
                .acknowledged = reader.be32(),
                .bytes = {}};
  packet.bytes.assign(whole.begin() + 40, whole.end());
  return packet;
}

const proto::Buffer kCommand{1, 2, 3};
const proto::Buffer kResponse{4, 5, 6, 7};

}  // namespace

TEST_CASE("a command goes to the TPM's port, its response comes from there", "[tbsctl][capture]") {
  TcpPackets packets;
  const Packet command = read(packets.command(7, kCommand));
  const Packet response = read(packets.response(7, kResponse));
  CHECK(command.to == 2321);
  CHECK(command.from > command.to);
  CHECK(response.from == 2321);
  CHECK(response.to == command.from);
  CHECK(command.bytes == kCommand);
  CHECK(response.bytes == kResponse);
  CHECK(response.sequence == command.acknowledged);
  CHECK(response.acknowledged == command.sequence + 3);
  const Packet next = read(packets.command(7, kCommand));
  CHECK(next.sequence == response.acknowledged);
  CHECK(next.acknowledged == response.sequence + 4);
}

TEST_CASE("each context is a connection of its own", "[tbsctl][capture]") {
  TcpPackets packets;
  const Packet one = read(packets.command(7, kCommand));
  const Packet other = read(packets.command(8, kCommand));
  CHECK(one.from != other.from);
  CHECK(other.sequence == one.sequence);
}
