#include "daemon/tpm/builder.h"

#include "daemon/tpm/constants.h"

namespace tbs::tpm::build {
namespace {

using proto::Buffer;
using proto::Bytes;
using proto::ByteWriter;

// A command of `code` whose header already states the size that `parameter_bytes` will make it.
Buffer begin(std::uint32_t code, std::size_t parameter_bytes) {
  Buffer command;
  const std::size_t size = kHeaderSize + parameter_bytes;
  command.reserve(size);
  ByteWriter writer(command);
  writer.be16(kTagNoSessions);
  writer.be32(static_cast<std::uint32_t>(size));
  writer.be32(code);
  return command;
}

Buffer with_u16(std::uint32_t code, std::uint16_t parameter) {
  Buffer command = begin(code, 2);
  ByteWriter(command).be16(parameter);
  return command;
}

Buffer with_u32(std::uint32_t code, std::uint32_t parameter) {
  Buffer command = begin(code, 4);
  ByteWriter(command).be32(parameter);
  return command;
}

}  // namespace

Buffer startup(std::uint16_t type) {
  return with_u16(cc::kStartup, type);
}

Buffer shutdown(std::uint16_t type) {
  return with_u16(cc::kShutdown, type);
}

Buffer read_clock() {
  return begin(cc::kReadClock, 0);
}

Buffer get_capability(std::uint32_t capability, std::uint32_t property, std::uint32_t count) {
  Buffer command = begin(cc::kGetCapability, 12);
  ByteWriter writer(command);
  writer.be32(capability);
  writer.be32(property);
  writer.be32(count);
  return command;
}

Buffer context_save(std::uint32_t handle) {
  return with_u32(cc::kContextSave, handle);
}

Buffer context_load(Bytes context) {
  Buffer command = begin(cc::kContextLoad, context.size());
  ByteWriter(command).bytes(context);
  return command;
}

Buffer flush_context(std::uint32_t handle) {
  return with_u32(cc::kFlushContext, handle);
}

}  // namespace tbs::tpm::build
