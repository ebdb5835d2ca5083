#include "proto/tpm12/commands.h"

#include <array>

#include "proto/tpm12/command_builder.h"

namespace tbs::tpm12::build {
namespace {

using proto::Buffer;
using proto::Bytes;

// For TPM_SaveContext: tells the daemon's blobs from others in a dump, nothing more.
constexpr std::array<std::uint8_t, 16> kLabel = {'t', 'b', 's', 'd'};

}  // namespace

Buffer save_context(Kind kind, std::uint32_t handle) {
  return CommandBuilder(ord::kSaveContext)
      .handle(handle)
      .u32(static_cast<std::uint32_t>(kind))
      .bytes(kLabel)
      .finish();
}

Buffer load_context(std::uint32_t entity, Bytes blob) {
  return CommandBuilder(ord::kLoadContext)
      .handle(entity)
      .u8(0)  // keepHandle
      .sized(blob)
      .finish();
}

Buffer flush_specific(std::uint32_t handle, std::uint32_t resource_type) {
  return CommandBuilder(ord::kFlushSpecific).handle(handle).u32(resource_type).finish();
}

Buffer get_capability(std::uint32_t area, std::uint32_t sub) {
  return CommandBuilder(ord::kGetCapability).u32(area).u32(sizeof(sub)).u32(sub).finish();
}

Buffer startup_clear() {
  return CommandBuilder(ord::kStartup).u16(kStartupClear).finish();
}

Buffer save_state() {
  return CommandBuilder(ord::kSaveState).finish();
}

Buffer continue_self_test() {
  return CommandBuilder(ord::kContinueSelfTest).finish();
}

Buffer pcr_read(std::uint32_t pcr) {
  return CommandBuilder(ord::kPcrRead).u32(pcr).finish();
}

Buffer extend(std::uint32_t pcr, Bytes digest) {
  return CommandBuilder(ord::kExtend).u32(pcr).bytes(digest).finish();
}

}  // namespace tbs::tpm12::build
