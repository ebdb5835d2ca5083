#include "daemon/command/client_response.h"

#include "daemon/tpm/response_code.h"
#include "daemon/tpm12/response.h"

namespace tbs {
namespace {

std::uint32_t embedded_result(proto::Bytes response) {
  const auto outer = tpm12::parse_response(response);
  if (!outer) return tpm12::rc::kBadParamSize;
  if (!outer->success()) return outer->code;
  const auto wrapped = tpm12::wrapped_response(*outer);
  const auto inner = wrapped ? proto::read_tpm_header(*wrapped) : std::nullopt;
  return inner ? inner->code : tpm12::rc::kBadParamSize;
}

}  // namespace

std::optional<std::uint32_t> result_of(const ClientCommand& command, proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return std::nullopt;
  return command.embedded() ? embedded_result(response) : header->code;
}

proto::Buffer bare_response(Family family, std::uint32_t code) {
  return family == Family::Tpm12 ? tpm12::bare_response(code) : tpm::bare_response(code);
}

}  // namespace tbs
