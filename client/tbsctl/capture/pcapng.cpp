#include "client/tbsctl/capture/pcapng.h"

namespace tbs::ctl::pcapng {
namespace {

using proto::Buffer;
using proto::ByteWriter;

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kPacket = 6;
constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kApplication = 4;     // of a section
constexpr std::uint16_t kTimeResolution = 9;  // of an interface

proto::Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void append_padded(Buffer& body, proto::Bytes bytes) {
  ByteWriter writer(body);
  writer.bytes(bytes);
  for (std::size_t length = bytes.size(); length % 4 != 0; ++length) writer.u8(0);
}

void append_option(Buffer& body, std::uint16_t code, proto::Bytes value) {
  ByteWriter writer(body);
  writer.le16(code);
  writer.le16(static_cast<std::uint16_t>(value.size()));
  append_padded(body, value);
}

void append_block(Buffer& out, std::uint32_t type, const Buffer& body) {
  ByteWriter writer(out);
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  writer.le32(type);
  writer.le32(length);
  writer.bytes(body);
  writer.le32(length);
}

}  // namespace

void append_header(Buffer& out, std::string_view program) {
  Buffer section;
  ByteWriter writer(section);
  writer.le32(0x1A2B3C4D);  // tells the byte order
  writer.le16(1);
  writer.le16(0);
  writer.le64(~std::uint64_t{0});  // how long the section is: not known
  append_option(section, kApplication, bytes_of(program));
  append_option(section, kEndOfOptions, {});
  append_block(out, kSectionHeader, section);

  Buffer interface;
  ByteWriter described(interface);
  described.le16(kRawIpv4);
  described.le16(0);
  described.le32(0);  // packets are whole
  constexpr std::uint8_t kMicroseconds = 6;
  append_option(interface, kTimeResolution, proto::Bytes(&kMicroseconds, 1));
  append_option(interface, kEndOfOptions, {});
  append_block(out, kInterface, interface);
}

void append_packet(Buffer& out, std::uint64_t microseconds, proto::Bytes packet,
                   std::string_view comment) {
  Buffer body;
  ByteWriter writer(body);
  writer.le32(0);  // the interface
  writer.le32(static_cast<std::uint32_t>(microseconds >> 32U));
  writer.le32(static_cast<std::uint32_t>(microseconds));
  writer.le32(static_cast<std::uint32_t>(packet.size()));
  writer.le32(static_cast<std::uint32_t>(packet.size()));
  append_padded(body, packet);
  if (!comment.empty()) {
    append_option(body, kComment, bytes_of(comment));
    append_option(body, kEndOfOptions, {});
  }
  append_block(out, kPacket, body);
}

}  // namespace tbs::ctl::pcapng
