#include "daemon/command/client_command.h"

#include <utility>

#include "daemon/base/reused_memory.h"
#include "daemon/base/spare_buffers.h"
#include "daemon/tpm12/command_view.h"
#include "proto/tpm/constants.h"

namespace tbs {
namespace {

std::optional<proto::Bytes> embedded_command(proto::Bytes command) {
  const auto outer = tpm12::parse_command(command);
  if (!outer || outer->parameters.size() < tpm12::kWrappedCommandOffset) return std::nullopt;
  return outer->parameters.subspan(tpm12::kWrappedCommandOffset);
}

}  // namespace

SharedCommand ClientCommand::read(Submission submission) {
  const auto header = proto::read_tpm_header(*submission.bytes);
  if (!header) return nullptr;
  return std::allocate_shared<const ClientCommand>(ReusingAllocator<ClientCommand>{}, Key{},
                                                   std::move(submission), *header);
}

ClientCommand::ClientCommand(Key, Submission submission, const proto::TpmHeader& header)
    : submission_(std::move(submission)), header_(header), effective_code_(header.code) {
  if (family() != Family::Tpm12 || code() != tpm12::ord::kExecuteTransport) return;
  embedded_ = embedded_command(bytes());
  if (!embedded_) return;
  const auto inner = proto::read_tpm_header(*embedded_);
  effective_code_ = inner ? inner->code : 0;
}

ClientCommand::~ClientCommand() {
  SpareBuffers::of_thread().give(std::move(submission_.bytes).release());
}

bool ClientCommand::has_authorization() const {
  if (family() == Family::Tpm20) return header_.tag == tpm::kTagSessions;
  return header_.tag == tpm12::kTagAuth1Command || header_.tag == tpm12::kTagAuth2Command;
}

}  // namespace tbs
