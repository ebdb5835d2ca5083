#include "client/tbsctl/bridge/tpm_answer.h"

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

// What the program is told instead of `code`.
std::uint32_t adapted(std::uint32_t command, std::uint16_t tag, std::uint32_t code) {
  if (command == kStartup && code == kRcInitialize) return 0;
  if (command == kStartup12 && code == kInvalidPostInit12) return 0;
  if (tag == proto::kTagRspCommand) return code;
  if (code == kBlocked) return kRcCommandCode;
  return (code & kLayerMask) == kResourceManagerLayer ? code & ~kLayerMask : code;
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
  const std::uint32_t code = adapted(asked->code, answered->tag, answered->code);
  if (code != answered->code) response = proto::tpm_error_response(answered->tag, code);
}

}  // namespace tbs::ctl::bridge
