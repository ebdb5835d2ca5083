#pragma once

// The firmware's files, as the kernel shows them. A helper thread reads them, and the answer comes
// from the loop.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/firmware/firmware.h"
#include "daemon/firmware/firmware_paths.h"
#include "daemon/firmware/log_part.h"
#include "daemon/loop/blocking_calls.h"

namespace tbs::firmware {

struct Options {
  PlaceOptions places;
  std::string state_folder;
};

class FirmwareFiles : public Firmware {
 public:
  FirmwareFiles(boost::asio::io_context& loop, Options options)
      : options_(std::move(options)),
        // However many clients ask, one thread works for them.
        calls_(loop, loop::BlockingCalls::Order::InOrder, loop::BlockingCalls::AtEnd::LeaveBehind) {
  }

  // Handlers are not called after this object is gone.
  void read_log(std::uint64_t offset, Handler<LogBytes> handler) override;
  void call_presence(const PresenceRequest& request, Handler<proto::Buffer> handler) override;
  void read_owner_auth(std::string_view name, Handler<proto::Buffer> handler) override;

 private:
  template <typename Value, typename Work>
  void ask(Work work, Handler<Value> handler);
  void report(const ReadFailure& failure);

  const Options options_;
  std::string last_report_;
  loop::BlockingCalls calls_;
};

}  // namespace tbs::firmware
