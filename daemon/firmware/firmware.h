#pragma once

// What the machine keeps about its TPM outside the chip: the log of what firmware measured, the
// firmware's physical presence interface, the owner's authorization values.

#include <cstdint>
#include <expected>
#include <functional>
#include <string_view>

#include "daemon/firmware/log_part.h"
#include "daemon/firmware/presence_request.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::firmware {

class Firmware {
 public:
  template <typename Value>
  using Handler = std::move_only_function<void(std::expected<Value, proto::Status>)>;

  virtual ~Firmware() = default;

  // Handlers are called from the loop, never from within these.
  virtual void read_log(std::uint64_t offset, Handler<LogBytes> handler) = 0;
  virtual void call_presence(const PresenceRequest& request, Handler<proto::Buffer> handler) = 0;
  // `name` is one that owner_auth_name() gives.
  virtual void read_owner_auth(std::string_view name, Handler<proto::Buffer> handler) = 0;
};

}  // namespace tbs::firmware
