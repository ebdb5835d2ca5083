#include "client/command_check.h"

#include <algorithm>

#include "proto/tpm_header.h"

namespace tbs::client {
namespace {

using proto::Status;

std::size_t longest_command(const proto::HelloReply& terms) {
  return std::min<std::size_t>(terms.max_command, proto::kMaxTpmMessage);
}

}  // namespace

Status check_command(proto::Bytes command, bool outputs_given, std::uint32_t capacity,
                     const proto::HelloReply& terms) {
  if (command.data() == nullptr || command.empty()) return Status::BadParameter;
  if (!outputs_given) return Status::InvalidOutputPointer;
  if (command.size() > TBS_IN_OUT_BUF_SIZE_MAX || capacity > TBS_IN_OUT_BUF_SIZE_MAX) {
    return Status::BufferTooLarge;
  }
  if (!proto::read_tpm_header(command)) return Status::BadParameter;
  if (command.size() > longest_command(terms)) return Status::BufferTooLarge;
  return Status::Success;
}

}  // namespace tbs::client
