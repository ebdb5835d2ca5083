#include "daemon/tpm/response_code.h"

#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {
namespace {

// REFERENCE_H0 to H6 and REFERENCE_S0 to S6.
constexpr bool is_missing_reference(std::uint32_t code) {
  return (code >= rc::kReferenceH0 && code <= rc::kReferenceH6) ||
         (code >= rc::kReferenceS0 && code <= rc::kReferenceS6);
}

}  // namespace

Remedy remedy_of(std::uint32_t code) {
  switch (code) {
    case rc::kYielded:
    case rc::kTesting:
    case rc::kNvRate:
    case rc::kRetry:
      return Remedy::Wait;
    case rc::kObjectMemory:
    case rc::kObjectHandles:
      return Remedy::FreeObject;
    case rc::kSessionMemory:
      return Remedy::FreeSession;
    case rc::kMemory:
      return Remedy::FreeAny;
    case rc::kSessionHandles:
      return Remedy::DropSession;
    case rc::kContextGap:
      return Remedy::RefreshGap;
    case rc::kInitialize:
      return Remedy::Start;
    default:
      return is_missing_reference(code) ? Remedy::CheckTables : Remedy::None;
  }
}

std::vector<std::uint8_t> bare_response(std::uint32_t code) {
  std::vector<std::uint8_t> response;
  response.reserve(kHeaderSize);
  proto::ByteWriter writer(response);
  writer.be16(kTagNoSessions);
  writer.be32(kHeaderSize);
  writer.be32(code);
  return response;
}

std::vector<std::uint8_t> refusal(std::uint32_t code) {
  return bare_response(by_resource_manager(code));
}

}  // namespace tbs::tpm
