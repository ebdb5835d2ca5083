#pragma once

// What the machine keeps about its TPM outside the chip: the log of what firmware measured, the
// firmware's physical presence interface, the owner's authorization values. All of it is in files;
// a helper thread reads them, and the answer comes from the loop.

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "daemon/firmware/firmware_paths.h"
#include "daemon/firmware/log_part.h"
#include "daemon/firmware/presence_request.h"
#include "daemon/loop/blocking_calls.h"

namespace tbs::firmware {

struct Options {
  PlaceOptions places;
  std::string state_folder;
};

class FirmwareFiles {
 public:
  template <typename Value>
  using Handler = std::move_only_function<void(std::expected<Value, proto::Status>)>;

  FirmwareFiles(boost::asio::io_context& loop, Options options)
      : options_(std::move(options)),
        // However many clients ask, one thread works for them.
        calls_(loop, loop::BlockingCalls::Order::InOrder, loop::BlockingCalls::AtEnd::LeaveBehind) {
  }

  // Handlers are called from the loop, never from within these, and not after the machine is gone.
  void read_log(std::uint64_t offset, Handler<LogBytes> handler);
  void call_presence(const PresenceRequest& request, Handler<proto::Buffer> handler);
  // `name` is one that owner_auth_name() gives.
  void read_owner_auth(std::string_view name, Handler<proto::Buffer> handler);

 private:
  template <typename Value, typename Work>
  void ask(Work work, Handler<Value> handler);
  void report(const ReadFailure& failure);

  const Options options_;
  std::string last_report_;
  loop::BlockingCalls calls_;
};

}  // namespace tbs::firmware
