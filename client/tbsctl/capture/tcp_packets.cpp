#include "client/tbsctl/capture/tcp_packets.h"

namespace tbs::ctl {
namespace {

using proto::Buffer;
using proto::ByteWriter;

constexpr std::uint16_t kTpmPort = 2321;
constexpr std::uint16_t kFirstPort = 50000;
constexpr std::uint16_t kPorts = 15000;
constexpr std::uint32_t kLoopback = 0x7F000001;
constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kTcpHeader = 20;
constexpr std::uint16_t kPushAndAcknowledge = 0x5018;  // with a header of five words

std::uint16_t port_of(std::uint64_t context) {
  return static_cast<std::uint16_t>(kFirstPort + context % kPorts);
}

// The sum of RFC 1071, of bytes and of what was summed up before.
std::uint32_t summed(proto::Bytes bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8U : bytes[i];
  }
  return sum;
}

std::uint16_t checksum(std::uint32_t sum) {
  while (sum >> 16U != 0) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

void put16(Buffer& packet, std::size_t at, std::uint16_t value) {
  packet[at] = static_cast<std::uint8_t>(value >> 8U);
  packet[at + 1] = static_cast<std::uint8_t>(value);
}

struct Segment {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
};

Buffer packet_of(const Segment& segment, proto::Bytes bytes) {
  Buffer packet;
  ByteWriter writer(packet);
  writer.be16(0x4500);  // version 4, a header of five words
  writer.be16(static_cast<std::uint16_t>(kIpHeader + kTcpHeader + bytes.size()));
  writer.be16(0);
  writer.be16(0x4000);  // not in fragments
  writer.u8(64);
  writer.u8(kTcp);
  writer.be16(0);
  writer.be32(kLoopback);
  writer.be32(kLoopback);
  put16(packet, 10, checksum(summed(packet)));
  writer.be16(segment.from);
  writer.be16(segment.to);
  writer.be32(segment.sequence);
  writer.be32(segment.acknowledged);
  writer.be16(kPushAndAcknowledge);
  writer.be16(0xFFFF);
  writer.be32(0);
  writer.bytes(bytes);
  // Of the addresses, the protocol and the length, too.
  const proto::Bytes whole = packet;
  const auto length = static_cast<std::uint32_t>(kTcpHeader + bytes.size());
  const std::uint32_t sum = summed(whole.subspan(12, 8), kTcp + length);
  put16(packet, kIpHeader + 16, checksum(summed(whole.subspan(kIpHeader), sum)));
  return packet;
}

}  // namespace

Buffer TcpPackets::command(std::uint64_t context, proto::Bytes bytes) {
  Stream& stream = streams_[context];
  Buffer packet = packet_of({port_of(context), kTpmPort, stream.commands, stream.responses}, bytes);
  stream.commands += static_cast<std::uint32_t>(bytes.size());
  return packet;
}

Buffer TcpPackets::response(std::uint64_t context, proto::Bytes bytes) {
  Stream& stream = streams_[context];
  Buffer packet = packet_of({kTpmPort, port_of(context), stream.responses, stream.commands}, bytes);
  stream.responses += static_cast<std::uint32_t>(bytes.size());
  return packet;
}

}  // namespace tbs::ctl
