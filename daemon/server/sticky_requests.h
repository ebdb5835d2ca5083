#pragma once

// Requests that an object or session of the client's stays on the TPM.

#include <cstdint>

#include "daemon/server/client.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class StickyRequests {
 public:
  explicit StickyRequests(CommandSink& sink) : sink_(sink) {}

  Handled make_sticky(Client& client, std::uint64_t request_id, const proto::MakeSticky& request) {
    const proto::Status status =
        request.sticky > 1
            ? proto::Status::BadParameter
            : sink_.make_sticky(client.context(), request.handle, request.sticky == 1);
    client.link->send(request_id, proto::MakeStickyReply{.status = status});
    return {};
  }

 private:
  CommandSink& sink_;
};

}  // namespace tbs::server
