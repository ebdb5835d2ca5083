#include "daemon/device/swtpm_control.h"

#include <string_view>

namespace tbs::device {
namespace {

constexpr std::uint64_t kInfoSpecification = 1;
constexpr std::uint32_t kMaxInfo = 3 * 1024;
constexpr std::size_t kMaxControlCommand = 20;

// The information is a small JSON text; one word of it matters.
std::optional<Family> family_of(std::string_view text) {
  if (text.find(R"("family":"2.0")") != text.npos) return Family::Tpm20;
  if (text.find(R"("family":"1.2")") != text.npos) return Family::Tpm12;
  return std::nullopt;
}

}  // namespace

proto::Buffer encode_control(ControlCommand command, std::uint8_t locality) {
  proto::Buffer bytes;
  bytes.reserve(kMaxControlCommand);
  proto::ByteWriter writer(bytes);
  writer.be32(static_cast<std::uint32_t>(command));
  if (command == ControlCommand::Init) writer.be32(0);  // flags
  if (command == ControlCommand::SetLocality) writer.u8(locality);
  if (command == ControlCommand::GetInfo) {
    writer.be64(kInfoSpecification);
    writer.be32(0);  // offset
    writer.be32(0);  // padding
  }
  return bytes;
}

std::expected<std::optional<ControlAnswer>, std::string> ControlAnswerReader::feed(
    proto::Bytes received) {
  pending_.insert(pending_.end(), received.begin(), received.end());
  proto::ByteReader reader(pending_);
  ControlAnswer answer;
  if (command_ == ControlCommand::GetCapability) {
    answer.capabilities = reader.be64();
  } else {
    answer.result = reader.be32();
    if (reader.ok() && answer.result == 0) {
      if (command_ == ControlCommand::GetInfo) return parse_info(reader);
      // The established bit and three bytes of padding.
      if (command_ == ControlCommand::GetTpmEstablished) reader.skip(4);
    }
  }
  if (!reader.ok()) return std::nullopt;
  return answer;
}

std::expected<std::optional<ControlAnswer>, std::string> ControlAnswerReader::parse_info(
    proto::ByteReader reader) const {
  reader.skip(4);  // length of the whole information
  const std::uint32_t length = reader.be32();
  if (length > kMaxInfo) {
    return std::unexpected("its control channel announces " + std::to_string(length) + " bytes");
  }
  const proto::Bytes text = reader.take(length);
  if (!reader.ok()) return std::nullopt;
  return ControlAnswer{.family =
                           family_of({reinterpret_cast<const char*>(text.data()), text.size()})};
}

}  // namespace tbs::device
