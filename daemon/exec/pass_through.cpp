#include "daemon/exec/pass_through.h"

#include <optional>
#include <utility>

#include "daemon/exec/startup.h"
#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

using proto::ByteReader;
using proto::ByteWriter;

// TPM 2.0 Library Part 2, "TPM_CC", and Part 3 for which of them return a transient or session
// handle.
constexpr std::uint32_t kFlushContext = 0x165;

bool creates_handle(std::uint32_t command_code) {
  switch (command_code) {
    case 0x131:  // CreatePrimary
    case 0x157:  // Load
    case 0x15B:  // HMAC_Start
    case 0x161:  // ContextLoad
    case 0x167:  // LoadExternal
    case 0x176:  // StartAuthSession
    case 0x186:  // HashSequenceStart
    case 0x191:  // CreateLoaded
      return true;
    default:
      return false;
  }
}

// The handle a successful command has created, if it creates one.
std::optional<std::uint32_t> created_handle(std::uint32_t command_code, proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != 0 || !creates_handle(command_code)) return std::nullopt;
  ByteReader reader(response.subspan(10));
  const std::uint32_t handle = reader.be32();
  if (!reader.ok()) return std::nullopt;
  return handle;
}

std::vector<std::uint8_t> flush_context(std::uint32_t handle) {
  std::vector<std::uint8_t> command;
  ByteWriter writer(command);
  writer.be16(proto::kTagNoSessions);
  writer.be32(14);
  writer.be32(kFlushContext);
  writer.be32(handle);
  return command;
}

class Command : public Execution {
 public:
  Command(std::uint8_t locality, std::vector<std::uint8_t> command)
      : locality_(locality), command_(std::move(command)) {
    const auto header = proto::read_tpm_header(command_);
    code_ = header ? header->code : 0;
  }

  Step start() override {
    return Transmit{.command = std::move(command_), .locality = locality_, .client_command = true};
  }

  Step on_response(std::span<const std::uint8_t> response) override {
    if (detached_ && !flushing_) {
      if (const auto handle = created_handle(code_, response)) {
        flushing_ = true;
        return Transmit{.command = flush_context(*handle)};
      }
    }
    if (detached_) return Done{.status = proto::Status::CommandCanceled};
    return Done{.response = {response.begin(), response.end()}};
  }

  Step on_pause_over() override { return Done{.status = proto::Status::InternalError}; }
  void withdraw() override {}
  void detach() override { detached_ = true; }

 private:
  std::uint8_t locality_;
  std::vector<std::uint8_t> command_;
  std::uint32_t code_ = 0;
  bool detached_ = false;
  bool flushing_ = false;
};

}  // namespace

std::unique_ptr<Execution> PassThrough::execute(ContextId, std::uint8_t locality,
                                                std::vector<std::uint8_t> command) {
  return std::make_unique<Command>(locality, std::move(command));
}

std::unique_ptr<Execution> PassThrough::bring_up() {
  return std::make_unique<Startup>(identity_);
}

std::unique_ptr<Execution> PassThrough::shutdown(bool owns_power) {
  return std::make_unique<Shutdown>(identity_, owns_power);
}

}  // namespace tbs::exec
