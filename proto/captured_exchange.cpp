#include "proto/captured_exchange.h"

#include <algorithm>

#include "proto/limits.h"

namespace tbs::proto {
namespace {

constexpr std::size_t kFixedSize = 4 * 8 + 5 * 4 + 2;

std::size_t shown(const std::string& program) {
  return std::min(program.size(), kMaxText);
}

}  // namespace

std::size_t CapturedExchange::size() const {
  return kFixedSize + shown(program) + command.size() + response.size();
}

void append_exchange(Buffer& out, const CapturedExchange& exchange) {
  ByteWriter writer(out);
  writer.le64(exchange.number);
  writer.le64(exchange.context);
  writer.le64(exchange.submitted_us);
  writer.le64(exchange.answered_us);
  writer.le32(exchange.uid);
  writer.le32(exchange.pid);
  writer.le32(exchange.status);
  writer.le32(static_cast<std::uint32_t>(exchange.command.size()));
  writer.le32(static_cast<std::uint32_t>(exchange.response.size()));
  writer.le16(static_cast<std::uint16_t>(shown(exchange.program)));
  for (std::size_t i = 0; i < shown(exchange.program); ++i) {
    writer.u8(static_cast<std::uint8_t>(exchange.program[i]));
  }
  writer.bytes(exchange.command);
  writer.bytes(exchange.response);
}

std::optional<CapturedExchange> read_exchange(ByteReader& reader) {
  CapturedExchange exchange;
  exchange.number = reader.le64();
  exchange.context = reader.le64();
  exchange.submitted_us = reader.le64();
  exchange.answered_us = reader.le64();
  exchange.uid = reader.le32();
  exchange.pid = reader.le32();
  exchange.status = reader.le32();
  const std::size_t command = reader.le32();
  const std::size_t response = reader.le32();
  const std::size_t program = reader.le16();
  if (program > kMaxText || command > kMaxTpmMessage || response > kMaxTpmMessage) {
    return std::nullopt;
  }
  const Bytes name = reader.take(program);
  exchange.program.assign(name.begin(), name.end());
  exchange.command = reader.take(command);
  exchange.response = reader.take(response);
  if (!reader.ok()) return std::nullopt;
  return exchange;
}

}  // namespace tbs::proto
