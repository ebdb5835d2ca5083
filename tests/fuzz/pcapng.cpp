// What tbsctl capture writes, read as Wireshark does: whatever the commands, responses and comments
// are, each block says at both ends how long it is, and what is in the packets of a connection is
// what was given, in its order.
//
// The input is a list of commands and responses: a byte says whose it is and which of both, a
// second how long it is.

#include "client/tbsctl/capture/pcapng.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "client/tbsctl/capture/tcp_packets.h"
#include "proto/byte_reader.h"

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::uint32_t kSection = 0x0A0D0D0A;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint16_t kCommentOption = 1;
constexpr std::uint16_t kTpmPort = 2321;

std::uint32_t padded(std::uint32_t size) {
  return (size + 3) & ~3U;
}

// Both ports of a packet, and where its first byte stands in the stream.
struct Packet {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  std::uint32_t sequence = 0;
  proto::Bytes payload;
};

Packet read_packet(proto::Bytes bytes) {
  proto::ByteReader ip(bytes);
  require(ip.u8() == 0x45);
  ip.skip(1);
  require(ip.be16() == bytes.size());
  ip.skip(16);
  Packet packet{.from = ip.be16(), .to = ip.be16(), .sequence = ip.be32()};
  ip.skip(4);
  const std::size_t words = ip.u8() >> 4U;
  require(words >= 5);
  ip.skip(7 + (words - 5) * 4);
  require(ip.ok());
  packet.payload = ip.rest();
  return packet;
}

class Reader {
 public:
  explicit Reader(proto::Bytes file) : file_(file) {}

  // The type of the next block and what is in it.
  std::optional<std::pair<std::uint32_t, proto::ByteReader>> block() {
    if (file_.at_end()) return std::nullopt;
    const std::uint32_t type = file_.le32();
    const std::uint32_t size = file_.le32();
    require(size >= 12 && size % 4 == 0);
    const proto::Bytes body = file_.take(size - 12);
    require(file_.le32() == size && file_.ok());
    return std::pair{type, proto::ByteReader(body)};
  }

 private:
  proto::ByteReader file_;
};

// The next bytes of each direction of each connection, by both ports.
using Streams = std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint32_t>;

void check_packet(proto::ByteReader block, Streams& streams, std::uint64_t time, proto::Bytes given,
                  const std::string& comment) {
  require(block.le32() == 0);
  const std::uint64_t high = block.le32();
  require((high << 32 | block.le32()) == time);
  const std::uint32_t captured = block.le32();
  require(block.le32() == captured);
  const Packet packet = read_packet(block.take(captured));
  block.skip(padded(captured) - captured);
  require(std::ranges::equal(packet.payload, given));
  require((packet.from == kTpmPort) != (packet.to == kTpmPort));
  const auto [next, first] = streams.try_emplace({packet.from, packet.to}, packet.sequence);
  require(next->second == packet.sequence);
  next->second += static_cast<std::uint32_t>(given.size());
  if (comment.empty()) return require(block.at_end());
  require(block.le16() == kCommentOption);
  const std::uint16_t size = block.le16();
  require(std::ranges::equal(block.take(size), comment));
  block.skip(padded(size) - size);
  require(block.le32() == 0 && block.at_end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  proto::ByteReader script({data, size});
  proto::Buffer file;
  ctl::pcapng::append_header(file, std::string(size % 9, 'x'));
  Reader head(file);
  auto section = head.block();
  require(section && section->first == kSection && section->second.le32() == kByteOrder);
  auto interface = head.block();
  require(interface && interface->first == kInterface);
  require(interface->second.le16() == ctl::pcapng::kRawIpv4 && !head.block());

  ctl::TcpPackets packets;
  Streams streams;
  for (std::uint64_t time = 1ULL << 31; script.remaining() > 0; time = time * 3 + 1) {
    const std::uint8_t kind = script.u8();
    const std::size_t wanted = std::size_t{script.u8()} * (kind % 4 == 3 ? 64 : 1);
    const proto::Bytes given = script.take(std::min(wanted, script.remaining()));
    const std::uint64_t context = kind / 4U % 8;
    const proto::Buffer packet =
        kind % 2 == 0 ? packets.command(context, given) : packets.response(context, given);
    const std::string comment(kind / 32U, 'c');
    proto::Buffer block;
    ctl::pcapng::append_packet(block, time, packet, comment);
    Reader reader(block);
    const auto found = reader.block();
    require(found && found->first == kEnhancedPacket && !reader.block());
    check_packet(found->second, streams, time, given, comment);
  }
  return 0;
}
