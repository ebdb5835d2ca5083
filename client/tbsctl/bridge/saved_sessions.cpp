#include "client/tbsctl/bridge/saved_sessions.h"

#include "proto/limits.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::ctl::bridge {
namespace {

// The word behind the header: a handle in all commands and responses here. 0 when there is none.
std::uint32_t first_word(proto::Bytes message) {
  proto::ByteReader reader(message.subspan(proto::kTpmHeaderSize));
  const std::uint32_t word = reader.be32();
  return reader.ok() ? word : 0;
}

}  // namespace

void SavedSessions::note(proto::Bytes command, proto::Bytes response) {
  const auto asked = proto::read_tpm_header(command);
  const auto answered = proto::read_tpm_header(response);
  if (!asked || !answered || answered->code != tpm::rc::kSuccess) return;
  if (asked->code == tpm::cc::kContextSave && tpm::is_session(first_word(command))) {
    forget(first_word(command));
    handles_.push_back(first_word(command));
  } else if (asked->code == tpm::cc::kContextLoad) {
    forget(first_word(response));
  } else if (asked->code == tpm::cc::kFlushContext) {
    forget(first_word(command));
  }
}

void SavedSessions::forget(std::uint32_t handle) {
  if (!tpm::is_session(handle)) return;
  std::erase_if(handles_, [&](std::uint32_t each) {
    return tpm::handle_index(each) == tpm::handle_index(handle);
  });
}

std::optional<proto::Buffer> SavedSessions::take_flush() {
  if (handles_.empty()) return std::nullopt;
  const std::uint32_t handle = handles_.back();
  handles_.pop_back();
  return tpm::build::flush_context(handle);
}

}  // namespace tbs::ctl::bridge
