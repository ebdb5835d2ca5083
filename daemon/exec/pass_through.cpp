#include "daemon/exec/pass_through.h"

#include <optional>
#include <utility>

#include "daemon/exec/bring_up.h"
#include "daemon/exec/startup.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

using proto::ByteReader;

// Which commands return a transient or session handle (TPM 2.0 Library, Part 3).
bool creates_handle(std::uint32_t command_code) {
  switch (command_code) {
    case tpm::cc::kCreatePrimary:
    case tpm::cc::kLoad:
    case tpm::cc::kHmacStart:
    case tpm::cc::kContextLoad:
    case tpm::cc::kLoadExternal:
    case tpm::cc::kStartAuthSession:
    case tpm::cc::kHashSequenceStart:
    case tpm::cc::kCreateLoaded:
      return true;
    default:
      return false;
  }
}

// The handle a successful command has created, if it creates one.
std::optional<std::uint32_t> created_handle(std::uint32_t command_code, proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != 0 || !creates_handle(command_code)) return std::nullopt;
  ByteReader reader(response.subspan(tpm::kHeaderSize));
  const std::uint32_t handle = reader.be32();
  if (!reader.ok()) return std::nullopt;
  return handle;
}

class Command : public Execution {
 public:
  explicit Command(SharedCommand command) : command_(std::move(command)) {}

  Step start() override {
    const proto::Bytes bytes = command_->bytes();
    return Transmit{.command = {bytes.begin(), bytes.end()},
                    .locality = command_->locality(),
                    .client_command = true};
  }

  Step on_response(std::span<const std::uint8_t> response) override {
    if (detached_ && !flushing_) {
      if (const auto handle = created_handle(command_->code(), response)) {
        flushing_ = true;
        return Transmit{.command = tpm::build::flush_context(*handle)};
      }
    }
    if (detached_) return Done{.status = proto::Status::CommandCanceled};
    return Done{.response = {response.begin(), response.end()}};
  }

  Step on_pause_over() override { return Done{.status = proto::Status::InternalError}; }
  void withdraw() override {}
  void detach() override { detached_ = true; }

 private:
  SharedCommand command_;
  bool detached_ = false;
  bool flushing_ = false;
};

}  // namespace

std::unique_ptr<Execution> PassThrough::execute(SharedCommand command) {
  return std::make_unique<Command>(std::move(command));
}

std::unique_ptr<Execution> PassThrough::bring_up() {
  return std::make_unique<BringUp>(identity_, nullptr);
}

std::unique_ptr<Execution> PassThrough::shutdown(bool owns_power) {
  return std::make_unique<Shutdown>(identity_, owns_power);
}

}  // namespace tbs::exec
