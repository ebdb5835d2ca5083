#include "client/tbsctl/bridge/tpm_answer.h"

#include "proto/limits.h"
#include "proto/tpm_header.h"

namespace tbs::ctl::bridge {
namespace {

using proto::Status;

constexpr std::uint16_t kTagRequestTpm12First = 0x00C1;
constexpr std::uint16_t kTagRequestTpm12Last = 0x00C3;

constexpr std::uint32_t kStartup = 0x144;
constexpr std::uint32_t kRcInitialize = 0x100;  // to Startup: it has been started already
constexpr std::uint32_t kStartup12 = 0x99;
constexpr std::uint32_t kInvalidPostInit12 = 0x26;  // to Startup: it has been started already

// Codes of tbsd's resource manager: those of a TPM, with the layer that TSS programs know.
constexpr std::uint32_t kLayerMask = 0xFFFF0000;
constexpr std::uint32_t kResourceManagerLayer = 0x000B0000;
constexpr std::uint32_t kBlocked = 0x80280400;  // policy forbids the command

// Handles of objects that are not loaded, as the resource manager reports them and as a TPM does.
constexpr std::uint32_t kFlushContext = 0x165;
constexpr std::uint32_t kRcValue = 0x084;
constexpr std::uint32_t kRcHandle = 0x08B;  // with the number of the handle in bits 8 to 10
constexpr std::uint32_t kHandleNumber = 0x700;
constexpr std::uint32_t kRcHandleParameter1 = 0x1CB;  // TPM_RC_HANDLE + TPM_RC_P + TPM_RC_1
constexpr std::uint32_t kRcValueParameter1 = 0x1C4;   // TPM_RC_VALUE + TPM_RC_P + TPM_RC_1
constexpr std::uint32_t kRcReferenceH0 = 0x910;
constexpr std::uint32_t kFirstTransient = 0x80000000;
constexpr std::uint32_t kTransientMask = 0xFF000000;
// The object slots of a TPM (TPM_PT_HR_TRANSIENT_MIN): handles beyond them cannot exist there.
constexpr std::uint32_t kSlots = 3;

constexpr std::uint32_t kRcFailure = 0x101;
constexpr std::uint32_t kRcCommandCode = 0x143;
constexpr std::uint32_t kRcCommandSize = 0x142;
constexpr std::uint32_t kRcMemory = 0x904;
constexpr std::uint32_t kRcLocality = 0x907;
constexpr std::uint32_t kRcCanceled = 0x909;

constexpr std::uint32_t kFail12 = 9;
constexpr std::uint32_t kBadParameterSize12 = 25;
constexpr std::uint32_t kResources12 = 21;
constexpr std::uint32_t kBadLocality12 = 61;

std::uint32_t code20(Status why) {
  switch (why) {
    case Status::CommandCanceled:
      return kRcCanceled;
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return kRcCommandSize;
    case Status::AccessDenied:
      return kRcLocality;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return kRcMemory;
    default:
      return kRcFailure;
  }
}

std::uint32_t code12(Status why) {
  switch (why) {
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return kBadParameterSize12;
    case Status::AccessDenied:
      return kBadLocality12;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return kResources12;
    default:
      return kFail12;
  }
}

// The handle with this number (from 0) after the header; 0 when there is none.
std::uint32_t handle_in(proto::Bytes command, std::uint32_t number) {
  proto::ByteReader reader(command);
  reader.skip(proto::kTpmHeaderSize + std::size_t{4} * number);
  const std::uint32_t handle = reader.be32();
  return reader.ok() ? handle : 0;
}

// What a TPM says instead of the resource manager's `code` (without its layer). To a handle that it
// has no slot for it says that the value is wrong.
std::uint32_t code_of_tpm(proto::Bytes command, std::uint32_t ordinal, std::uint32_t code) {
  const bool flush = ordinal == kFlushContext && code == kRcHandleParameter1;
  const bool names_handle = (code & ~kHandleNumber) == kRcHandle && code != kRcHandle;
  if (!flush && !names_handle) return code;
  const std::uint32_t position = (code >> 8) - 1;
  const std::uint32_t handle = handle_in(command, position);
  if ((handle & kTransientMask) != kFirstTransient) return code;
  const bool slot = handle - kFirstTransient < kSlots;
  if (flush) return slot ? code : kRcValueParameter1;
  return slot ? kRcReferenceH0 + position : kRcValue | (position + 1) << 8;
}

// What the program is told instead of `code`.
std::uint32_t adapted(proto::Bytes command, std::uint32_t ordinal, std::uint16_t tag,
                      std::uint32_t code) {
  if (ordinal == kStartup && code == kRcInitialize) return 0;
  if (ordinal == kStartup12 && code == kInvalidPostInit12) return 0;
  if (tag == proto::kTagRspCommand) return code;
  if (code == kBlocked) return kRcCommandCode;
  if ((code & kLayerMask) != kResourceManagerLayer) return code;
  return code_of_tpm(command, ordinal, code & ~kLayerMask);
}

}  // namespace

proto::Buffer answer_for(proto::Bytes command, Status why) {
  const std::uint16_t tag = proto::ByteReader(command).be16();
  if (tag >= kTagRequestTpm12First && tag <= kTagRequestTpm12Last) {
    return proto::tpm_error_response(proto::kTagRspCommand, code12(why));
  }
  return proto::tpm_error_response(proto::kTagNoSessions, code20(why));
}

void adapt_response(proto::Bytes command, proto::Buffer& response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered) return;
  const std::uint32_t code = adapted(command, asked->code, answered->tag, answered->code);
  if (code != answered->code) response = proto::tpm_error_response(answered->tag, code);
}

}  // namespace tbs::ctl::bridge
