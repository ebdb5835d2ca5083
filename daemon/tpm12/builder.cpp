#include "daemon/tpm12/builder.h"

#include <array>

#include "daemon/tpm12/response.h"

namespace tbs::tpm12::build {
namespace {

using proto::Buffer;
using proto::ByteWriter;

// For TPM_SaveContext: tells the daemon's blobs from others in a dump, nothing more.
constexpr std::array<std::uint8_t, 16> kLabel = {'t', 'b', 's', 'd'};
constexpr std::uint16_t kStartupClear = 1;

Buffer begin(std::uint32_t ordinal) {
  Buffer command;
  ByteWriter writer(command);
  writer.be16(kTagCommand);
  writer.be32(0);
  writer.be32(ordinal);
  return command;
}

Buffer finish(Buffer command) {
  put_be32(command, 2, static_cast<std::uint32_t>(command.size()));
  return command;
}

}  // namespace

Buffer save_context(Kind kind, std::uint32_t handle) {
  Buffer command = begin(ord::kSaveContext);
  ByteWriter writer(command);
  writer.be32(handle);
  writer.be32(static_cast<std::uint32_t>(kind));
  writer.bytes(kLabel);
  return finish(std::move(command));
}

Buffer load_context(std::uint32_t entity, proto::Bytes blob) {
  Buffer command = begin(ord::kLoadContext);
  ByteWriter writer(command);
  writer.be32(entity);
  writer.u8(0);  // keepHandle
  writer.be32(static_cast<std::uint32_t>(blob.size()));
  writer.bytes(blob);
  return finish(std::move(command));
}

Buffer flush_specific(std::uint32_t handle, std::uint32_t resource_type) {
  Buffer command = begin(ord::kFlushSpecific);
  ByteWriter writer(command);
  writer.be32(handle);
  writer.be32(resource_type);
  return finish(std::move(command));
}

Buffer get_capability(std::uint32_t area, std::uint32_t sub) {
  Buffer command = begin(ord::kGetCapability);
  ByteWriter writer(command);
  writer.be32(area);
  writer.be32(4);
  writer.be32(sub);
  return finish(std::move(command));
}

Buffer startup_clear() {
  Buffer command = begin(ord::kStartup);
  ByteWriter(command).be16(kStartupClear);
  return finish(std::move(command));
}

Buffer save_state() {
  return finish(begin(ord::kSaveState));
}

Buffer continue_self_test() {
  return finish(begin(ord::kContinueSelfTest));
}

}  // namespace tbs::tpm12::build
