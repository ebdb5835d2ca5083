#include "client/tbsctl/tpm/command_bytes.h"

#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/input_file.h"
#include "proto/limits.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

// The largest command as generously written hexadecimal text: "0x00, " for each byte.
constexpr std::size_t kMaxText = proto::kMaxTpmMessage * 8;

std::unexpected<Failure> usage(std::string message) {
  return std::unexpected(Failure{.exit = Exit::Usage, .message = std::move(message)});
}

std::expected<proto::Buffer, Failure> checked(proto::Buffer command) {
  const std::string size = std::to_string(command.size());
  if (command.size() < proto::kTpmHeaderSize) {
    return usage("not a TPM command: it has " + size + " bytes, the header alone takes " +
                 std::to_string(proto::kTpmHeaderSize));
  }
  if (command.size() > proto::kMaxTpmMessage) {
    return usage("the TPM command is too large: more than " +
                 std::to_string(proto::kMaxTpmMessage) + " bytes");
  }
  proto::ByteReader header(command);
  header.skip(2);
  const std::uint32_t stated = header.be32();
  if (stated != command.size()) {
    return usage("not a TPM command: its header says " + std::to_string(stated) +
                 " bytes, there are " + size);
  }
  return command;
}

}  // namespace

std::expected<proto::Buffer, Failure> command_from_hex(const std::string& text) {
  auto bytes = parse_hex(text);
  if (!bytes) return usage("the TPM command is " + bytes.error());
  return checked(*std::move(bytes));
}

std::expected<proto::Buffer, Failure> command_from_file(const std::string& path) {
  const bool standard_input = path == "-";
  auto content = standard_input ? read_standard_input(kMaxText) : read_input_file(path, kMaxText);
  if (!content) return content;
  if (content->empty()) return usage((standard_input ? "standard input" : path) + " is empty");
  const std::uint8_t first = content->front();
  if (first == 0x80 || first == 0) return checked(*std::move(content));
  return command_from_hex({content->begin(), content->end()});
}

}  // namespace tbs::ctl
