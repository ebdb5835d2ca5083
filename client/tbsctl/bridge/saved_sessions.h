#pragma once

// The sessions that one client has saved and not loaded again. They outlive its context, so that
// another program can load them; but not the loss of power of the TPM that saved them.

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl::bridge {

class SavedSessions {
 public:
  // A command of the client, and the TPM's response.
  void note(proto::Bytes command, proto::Bytes response);
  // The command that flushes one of them, which is forgotten; nothing when there is none.
  std::optional<proto::Buffer> take_flush();
  void clear() { handles_.clear(); }

 private:
  void forget(std::uint32_t handle);

  std::vector<std::uint32_t> handles_;
};

}  // namespace tbs::ctl::bridge
