#include "daemon/tpm/command_view.h"

#include "daemon/tpm/response_code.h"

namespace tbs::tpm {
namespace {

using proto::ByteReader;
using proto::Bytes;

// Reads the header; returns the command code.
std::expected<std::uint32_t, std::uint32_t> read_header(ByteReader& reader, std::size_t length,
                                                        CommandView& view) {
  view.tag = reader.be16();
  const std::uint32_t size = reader.be32();
  const std::uint32_t code = reader.be32();
  if (!reader.ok() || size != length) return std::unexpected(rc::kCommandSize);
  if (view.tag != kTagNoSessions && view.tag != kTagSessions) return std::unexpected(rc::kBadTag);
  return code;
}

// Reads the handle area; returns 0 or what is wrong.
std::uint32_t read_handles(ByteReader& reader, CommandView& view) {
  for (std::uint8_t i = 0; i < view.info->handles; ++i) {
    view.handles[i] = reader.be32();
    if (!reader.ok()) return at_handle(rc::kInsufficient, i + 1U);
  }
  return rc::kSuccess;
}

// Reads one authorization; returns 0 or what is wrong.
std::uint32_t read_session(ByteReader& area, CommandView& view) {
  if (view.session_count == kMaxSessions) return rc::kAuthSize;
  CommandSession& session = view.sessions[view.session_count];
  session.handle = area.be32();
  area.skip(area.be16());  // nonceCaller
  session.attributes = area.u8();
  area.skip(area.be16());  // hmac
  ++view.session_count;
  return area.ok() ? rc::kSuccess : at_session(rc::kInsufficient, view.session_count);
}

std::uint32_t read_sessions(ByteReader& reader, CommandView& view) {
  const std::uint32_t size = reader.be32();
  if (!reader.ok() || size == 0 || size > reader.remaining()) return rc::kAuthSize;
  ByteReader area(reader.take(size));
  while (area.remaining() != 0) {
    if (const std::uint32_t fault = read_session(area, view)) return fault;
  }
  return rc::kSuccess;
}

}  // namespace

std::uint32_t command_code_of(Bytes command) {
  ByteReader reader(command);
  reader.skip(2 + 4);
  return reader.be32();
}

std::expected<CommandView, std::uint32_t> parse_command(Bytes command, const CommandTable& table) {
  CommandView view;
  ByteReader reader(command);
  const auto code = read_header(reader, command.size(), view);
  if (!code) return std::unexpected(code.error());
  view.info = table.find(*code);
  if (view.info == nullptr) return std::unexpected(rc::kCommandCode);
  if (const std::uint32_t fault = read_handles(reader, view)) return std::unexpected(fault);
  if (view.tag == kTagSessions) {
    if (const std::uint32_t fault = read_sessions(reader, view)) return std::unexpected(fault);
  }
  view.parameters = reader.rest();
  return view;
}

void put_be32(std::span<std::uint8_t> message, std::size_t offset, std::uint32_t value) {
  const auto word = message.subspan(offset, 4);
  for (std::size_t i = 0; i < 4; ++i) word[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

}  // namespace tbs::tpm
