#include "daemon/policy/lockout_authorization.h"

#include "daemon/tpm/command_view.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::policy {
namespace {

// Of the commands in the specification.
constexpr std::size_t kMostHandles = 3;

bool has_no_protection(std::uint32_t handle) {
  return tpm::handle_type(handle) == tpm::HandleType::Pcr || handle == tpm::kRhOwner ||
         handle == tpm::kRhEndorsement || handle == tpm::kRhPlatform || handle == tpm::kRhNull;
}

}  // namespace

// The first words behind the header are the handles, of which a command has a few. What
// stands there instead, where it has fewer, is never this value: a size in a command of 4096 bytes,
// a session, the size of a nonce. So nothing has to be known about the command, and one that no
// table knows is judged as well.
bool names_lockout(const ClientCommand& command) {
  if (command.family() != Family::Tpm20) return false;
  if (!command.has_authorization() && command.code() != tpm::cc::kStartAuthSession) return false;
  proto::ByteReader reader(command.bytes());
  reader.skip(tpm::kHeaderSize);
  for (std::size_t i = 0; i < kMostHandles; ++i) {
    const std::uint32_t handle = reader.be32();
    if (reader.ok() && handle == tpm::kRhLockout) return true;
  }
  return false;
}

void UnboundSessions::note(const ClientCommand& command, proto::Bytes response) {
  if (command.family() != Family::Tpm20 || command.code() != tpm::cc::kStartAuthSession) return;
  proto::ByteReader answer(response);
  answer.skip(tpm::kHeaderSize);
  const std::uint32_t session = answer.be32();
  const auto header = proto::read_tpm_header(response);
  if (!header || header->code != tpm::rc::kSuccess || !answer.ok()) return;
  proto::ByteReader asked(command.bytes());
  asked.skip(tpm::kHeaderSize + sizeof(std::uint32_t));  // the key of the salt
  if (asked.be32() != tpm::kRhNull) {
    handles_.erase(session);
    return;
  }
  if (handles_.size() >= kMostSessions) handles_.clear();
  handles_.insert(session);
}

// Sessions come in the order of the handles that they authorize.
bool raises_no_counter(const ClientCommand& command, const tpm::CommandTable& commands,
                       const UnboundSessions& unbound) {
  if (command.family() != Family::Tpm20) return false;
  const auto view = tpm::parse_command(command.bytes(), commands);
  if (!view || view->session_count > view->info->handles) return false;
  for (std::size_t i = 0; i < view->session_count; ++i) {
    const std::uint32_t session = view->sessions[i].handle;
    const bool bound = session != tpm::kPasswordSession && !unbound.contains(session);
    if (bound || !has_no_protection(view->handles[i])) return false;
  }
  return true;
}

}  // namespace tbs::policy
