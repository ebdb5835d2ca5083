#include "client/tbsctl/bridge/tpm_answer.h"

#include "client/tbsctl/bridge/missing_handle.h"
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

// What the program is told instead of `code`.
std::uint32_t adapted(proto::Bytes command, std::uint16_t tag, std::uint32_t code) {
  if (tag == tpm12::kTagResponse) return code;
  if (code == proto::service::kCommandBlocked) return tpm::rc::kCommandCode;
  if ((code & kUpperHalf) != tpm::rc::kResourceManagerLayer) return code;
  return code_of_tpm(command, code & ~kUpperHalf);
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
  const std::uint32_t code = adapted(command, answered->tag, answered->code);
  if (code != answered->code) response = proto::tpm_error_response(answered->tag, code);
}

}  // namespace tbs::ctl::bridge
