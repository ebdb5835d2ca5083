#include "client/tbsctl/capture/masked.h"

#include <algorithm>

#include "proto/dissect/dissect.h"

namespace tbs::ctl {
namespace {

proto::Buffer masked(proto::Bytes message, const dissect::Dissection& dissection) {
  proto::Buffer bytes(message.begin(), message.end());
  for (const dissect::Field& field : dissection.fields) {
    if (!field.secret || field.offset > bytes.size()) continue;
    const std::size_t size = std::min(field.size, bytes.size() - field.offset);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(field.offset), size, 0);
  }
  return bytes;
}

}  // namespace

proto::Buffer masked_command(proto::Bytes command) {
  return masked(command, dissect::dissect_command(command));
}

proto::Buffer masked_response(proto::Bytes response, std::uint32_t command_code) {
  return masked(response, dissect::dissect_response(response, command_code));
}

}  // namespace tbs::ctl
