#include "client/tbsctl/tpm/command_bytes.h"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <system_error>

#include "client/tbsctl/text/hex.h"
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

std::expected<std::string, Failure> read_all(std::istream& in, const std::string& name) {
  std::string content(kMaxText + 1, '\0');
  errno = 0;
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad() || (in.fail() && !in.eof())) {
    return std::unexpected(
        Failure{.exit = Exit::Failed,
                .message = "cannot read " + name + ": " + std::generic_category().message(errno)});
  }
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (content.size() > kMaxText) return usage(name + " is too large for a TPM command");
  return content;
}

std::expected<proto::Buffer, Failure> command_from(std::istream& in, const std::string& name) {
  const auto content = read_all(in, name);
  if (!content) return std::unexpected(content.error());
  const bool binary = content->starts_with('\x80') || content->starts_with('\0');
  if (binary) return checked(proto::Buffer(content->begin(), content->end()));
  return command_from_hex(*content);
}

}  // namespace

std::expected<proto::Buffer, Failure> command_from_hex(const std::string& text) {
  auto bytes = parse_hex(text);
  if (!bytes) return usage("the TPM command is " + bytes.error());
  return checked(*std::move(bytes));
}

std::expected<proto::Buffer, Failure> command_from_file(const std::string& path) {
  if (path == "-") return command_from(std::cin, "standard input");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::unexpected(
        Failure{.exit = Exit::Failed,
                .message = "cannot open " + path + ": " + std::generic_category().message(errno)});
  }
  return command_from(file, path);
}

}  // namespace tbs::ctl
