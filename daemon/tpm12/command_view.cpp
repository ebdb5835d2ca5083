#include "daemon/tpm12/command_view.h"

namespace tbs::tpm12 {
namespace {

using proto::ByteReader;
using proto::Bytes;

// The sessions at the end of the command.
void read_auths(Bytes command, std::size_t base, CommandView& view) {
  for (std::uint8_t i = 0; i < view.auth_count; ++i) {
    const std::size_t left = (view.auth_count - i) * kCommandAuthSize;
    const std::size_t at = command.size() - left;
    const bool last = i + 1 == view.auth_count;
    view.auths[i] = {
        .kind = last && view.info->transport ? Kind::Transport : Kind::Auth,
        .handle = {.offset = base + at, .value = ByteReader(command.subspan(at)).be32()}};
  }
}

}  // namespace

std::expected<CommandView, std::uint32_t> parse_command(Bytes command, std::size_t base) {
  ByteReader reader(command);
  CommandView view{.tag = reader.be16()};
  const std::uint32_t size = reader.be32();
  view.ordinal = reader.be32();
  if (!reader.ok() || size != command.size()) return std::unexpected(rc::kBadParamSize);
  if (view.tag < kTagCommand || view.tag > kTagAuth2Command) return std::unexpected(rc::kBadTag);
  view.info = find_ordinal(view.ordinal);
  if (view.info == nullptr) return std::unexpected(rc::kBadOrdinal);
  view.auth_count = static_cast<std::uint8_t>(view.tag - kTagCommand);
  if (view.auth_count > view.info->max_auths) return std::unexpected(rc::kBadTag);
  for (std::uint8_t i = 0; i < view.info->keys; ++i) {
    const std::size_t at = kHeaderSize + i * kHandleSize;
    view.keys[i] = {.offset = base + at, .value = reader.be32()};
  }
  const std::size_t auth_size = view.auth_count * kCommandAuthSize;
  if (!reader.ok() || reader.remaining() < auth_size) return std::unexpected(rc::kBadParamSize);
  view.parameters_offset = base + command.size() - reader.remaining();
  view.parameters = reader.take(reader.remaining() - auth_size);
  read_auths(command, base, view);
  return view;
}

std::expected<CommandView, std::uint32_t> parse_wrapped_command(const CommandView& outer) {
  ByteReader reader(outer.parameters);
  const std::uint32_t size = reader.be32();
  if (!reader.ok() || size != reader.remaining()) return std::unexpected(rc::kBadParamSize);
  return parse_command(reader.rest(), outer.parameters_offset + kWrappedCommandOffset);
}

}  // namespace tbs::tpm12
