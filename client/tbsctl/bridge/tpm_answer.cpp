#include "client/tbsctl/bridge/tpm_answer.h"

#include "proto/limits.h"
#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"

namespace tbs::ctl::bridge {
namespace {

using proto::Status;

// Codes of tbsd's resource manager are those of a TPM, with the layer that TSS programs know.
constexpr std::uint32_t kUpperHalf = 0xFFFF0000;

// Handles of objects that are not loaded, as the resource manager reports them and as a TPM does.
// The number of the handle is in bits 8 to 10.
constexpr std::uint32_t kHandleNumber = 7U << tpm::rc::kPositionShift;
constexpr std::uint32_t kRcHandleParameter1 = tpm::at_parameter(tpm::rc::kHandle, 1);
constexpr std::uint32_t kRcValueParameter1 = tpm::at_parameter(tpm::rc::kValue, 1);
// The object slots of a TPM (TPM_PT_HR_TRANSIENT_MIN): handles beyond them cannot exist there.
constexpr std::uint32_t kSlots = 3;

std::uint32_t code20(Status why) {
  switch (why) {
    case Status::CommandCanceled:
      return tpm::rc::kCanceled;
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return tpm::rc::kCommandSize;
    case Status::AccessDenied:
      return tpm::rc::kLocality;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return tpm::rc::kMemory;
    default:
      return tpm::rc::kFailure;
  }
}

std::uint32_t code12(Status why) {
  switch (why) {
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return tpm12::rc::kBadParamSize;
    case Status::AccessDenied:
      return tpm12::rc::kBadLocality;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return tpm12::rc::kResources;
    default:
      return tpm12::rc::kFail;
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
  const bool flush = ordinal == tpm::cc::kFlushContext && code == kRcHandleParameter1;
  const bool names_handle = (code & ~kHandleNumber) == tpm::rc::kHandle && code != tpm::rc::kHandle;
  if (!flush && !names_handle) return code;
  const std::uint32_t position = (code >> tpm::rc::kPositionShift) - 1;
  const std::uint32_t handle = handle_in(command, position);
  if (!tpm::is_transient(handle)) return code;
  const bool slot = handle - tpm::kTransientFirst < kSlots;
  if (flush) return slot ? code : kRcValueParameter1;
  return slot ? tpm::rc::kReferenceH0 + position : tpm::at_handle(tpm::rc::kValue, position + 1);
}

// What the program is told instead of `code`.
std::uint32_t adapted(proto::Bytes command, std::uint32_t ordinal, std::uint16_t tag,
                      std::uint32_t code) {
  // To Startup: it has been started already.
  if (ordinal == tpm::cc::kStartup && code == tpm::rc::kInitialize) return 0;
  if (ordinal == tpm12::ord::kStartup && code == tpm12::rc::kInvalidPostInit) return 0;
  if (tag == tpm12::kTagResponse) return code;
  if (code == proto::service::kCommandBlocked) return tpm::rc::kCommandCode;
  if ((code & kUpperHalf) != tpm::rc::kResourceManagerLayer) return code;
  return code_of_tpm(command, ordinal, code & ~kUpperHalf);
}

}  // namespace

proto::Buffer answer_for(proto::Bytes command, Status why) {
  const std::uint16_t tag = proto::ByteReader(command).be16();
  if (tag >= tpm12::kTagCommand && tag <= tpm12::kTagAuth2Command) {
    return proto::tpm_error_response(tpm12::kTagResponse, code12(why));
  }
  return proto::tpm_error_response(tpm::kTagNoSessions, code20(why));
}

void adapt_response(proto::Bytes command, proto::Buffer& response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered) return;
  const std::uint32_t code = adapted(command, asked->code, answered->tag, answered->code);
  if (code != answered->code) response = proto::tpm_error_response(answered->tag, code);
}

}  // namespace tbs::ctl::bridge
