#pragma once

// Files of captured packets as Wireshark and others read them. Source: the pcapng specification
// (IETF draft-ietf-opsawg-pcapng): Section Header, Interface Description and Enhanced Packet
// Blocks, little-endian.

#include <cstdint>
#include <string_view>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl::pcapng {

// Link type 228: each packet is an IPv4 packet, with nothing before it.
inline constexpr std::uint16_t kRawIpv4 = 228;

// What a file begins with: the section, and one interface with times in microseconds.
void append_header(proto::Buffer& out, std::string_view program);

// `microseconds` since 1970 (UTC). The comment may be empty.
void append_packet(proto::Buffer& out, std::uint64_t microseconds, proto::Bytes packet,
                   std::string_view comment);

}  // namespace tbs::ctl::pcapng
