#include "daemon/firmware/firmware_files.h"

#include <utility>

#include "daemon/firmware/owner_auth.h"
#include "daemon/firmware/presence.h"
#include "daemon/host/limited_log.h"

namespace tbs::firmware {

// `work` runs in the helper thread and touches nothing but its own copies.
template <typename Value, typename Work>
void FirmwareFiles::ask(Work work, Handler<Value> handler) {
  calls_.run(std::move(work), [this, handler = std::move(handler)](
                                  std::expected<Value, ReadFailure> outcome) mutable {
    if (outcome) {
      handler(*std::move(outcome));
    } else {
      report(outcome.error());
      handler(std::unexpected(outcome.error().status));
    }
  });
}

void FirmwareFiles::read_log(std::uint64_t offset, Handler<LogBytes> handler) {
  ask<LogBytes>([places = options_.places,
                 offset] { return read_log_part(find_places(places).event_log, offset); },
                std::move(handler));
}

void FirmwareFiles::call_presence(const PresenceRequest& request, Handler<proto::Buffer> handler) {
  ask<proto::Buffer>(
      [places = options_.places, request] {
        return firmware::call_presence(find_places(places).presence, request);
      },
      std::move(handler));
}

void FirmwareFiles::read_owner_auth(std::string_view name, Handler<proto::Buffer> handler) {
  ask<proto::Buffer>([folder = options_.state_folder + "/owner-auth",
                      name = std::string(name)] { return firmware::read_owner_auth(folder, name); },
                     std::move(handler));
}

// Once for each reason: clients ask again and again.
void FirmwareFiles::report(const ReadFailure& failure) {
  if (failure.reason.empty() || failure.reason == last_report_) return;
  last_report_ = failure.reason;
  host::log_limited(spdlog::level::warn, host::Topic::Firmware, failure.reason);
}

}  // namespace tbs::firmware
