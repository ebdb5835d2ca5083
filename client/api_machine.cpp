// Tbsi_Physical_Presence_Command, Tbsi_Get_OwnerAuth, Tbsi_Revoke_Attestation,
// Tbsi_Create_Windows_Key.

#include <algorithm>
#include <type_traits>

#include "client/boundary.h"
#include "client/contexts.h"
#include "client/socket_path.h"

using namespace tbs::client;
namespace proto = tbs::proto;
using proto::Status;

namespace {

// The functions of the physical presence interface that ask the firmware to do something, and what
// they return. An output that does not fit is refused before it is too late.
constexpr std::uint32_t kSubmit = 2;
constexpr std::uint32_t kSubmitWithParameter = 7;
constexpr std::uint32_t kSubmitOutput = 4;

Status check_presence(proto::Bytes input, PCBYTE output, PCUINT32 size) {
  if (input.data() == nullptr || input.size() < 4) return Status::BadParameter;
  if (size == nullptr || output == nullptr) return Status::InvalidOutputPointer;
  if (input.size() > proto::kMaxPresenceInput) return Status::BadParameter;
  const std::uint32_t function = proto::ByteReader(input).le32();
  const bool submits = function == kSubmit || function == kSubmitWithParameter;
  return submits && *size < kSubmitOutput ? Status::InsufficientBuffer : Status::Success;
}

// The payload of an answer, decoded; its byte fields point into `payload`.
template <typename Question>
std::expected<proto::ReplyTo<Question>, Status> ask(Context& context, const Question& question,
                                                    proto::Buffer& payload) {
  // A revocation is a TPM command, and waits for its turn.
  constexpr bool kNeedsTpm = std::is_same_v<Question, proto::RevokeAttestation>;
  const Deadline deadline = kNeedsTpm ? Deadline() : Clock::now() + kAnswerPatience;
  auto received = context.ask(question, deadline);
  if (!received) return std::unexpected(received.error());
  payload = *std::move(received);
  const auto answer = proto::decode<proto::ReplyTo<Question>>(payload);
  if (!answer) return std::unexpected(Status::InternalError);
  if (answer->status != Status::Success) return std::unexpected(answer->status);
  return *answer;
}

}  // namespace

TBS_RESULT Tbsi_Physical_Presence_Command(TBS_HCONTEXT hContext, PCBYTE pabInput, UINT32 cbInput,
                                          PBYTE pabOutput, PUINT32 pcbOutput) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    const Status fault = check_presence({pabInput, cbInput}, pabOutput, pcbOutput);
    if (fault != Status::Success) return fault;
    proto::Buffer payload;
    const auto reply =
        ask(*context, proto::PhysicalPresence{.input = {pabInput, cbInput}}, payload);
    if (!reply) return reply.error();
    if (reply->output.size() > *pcbOutput) return Status::InsufficientBuffer;
    std::ranges::copy(reply->output, pabOutput);
    *pcbOutput = static_cast<UINT32>(reply->output.size());
    return Status::Success;
  });
}

TBS_RESULT Tbsi_Get_OwnerAuth(TBS_HCONTEXT hContext, TBS_OWNERAUTH_TYPE ownerauthType,
                              PBYTE pOutputBuf, PUINT32 pOutputBufLen) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    if (pOutputBufLen == nullptr) return Status::InvalidOutputPointer;
    if (pOutputBuf == nullptr && *pOutputBufLen != 0) return Status::InvalidOutputPointer;
    proto::Buffer payload;
    const auto reply = ask(*context, proto::OwnerAuth{.auth_type = ownerauthType}, payload);
    if (!reply) return reply.error();
    const std::uint32_t room = *pOutputBufLen;
    *pOutputBufLen = static_cast<UINT32>(reply->value.size());
    if (pOutputBuf == nullptr) return Status::Success;
    if (reply->value.size() > room) return Status::InsufficientBuffer;
    std::ranges::copy(reply->value, pOutputBuf);
    return Status::Success;
  });
}

TBS_RESULT Tbsi_Revoke_Attestation(void) {
  return at_boundary([&] {
    const auto context = Context::open(chosen_socket(), proto::kWantTpm12 | proto::kWantTpm20);
    if (!context) return context.error();
    proto::Buffer payload;
    const auto reply = ask(**context, proto::RevokeAttestation{}, payload);
    return reply ? Status::Success : reply.error();
  });
}

TBS_RESULT Tbsi_Create_Windows_Key(TBS_HANDLE keyHandle) {
  static_cast<void>(keyHandle);
  return TBS_E_PROVISIONING_NOT_ALLOWED;
}
