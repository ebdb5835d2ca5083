#include "daemon/device/swtpm_device.h"

#include <cstring>
#include <utility>

#include <errno.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "daemon/device/interface_type.h"

namespace tbs::device {
namespace {

using boost::system::error_code;

constexpr std::size_t kMaxCommand = 4096;  // swtpm's own buffer
constexpr std::size_t kHeaderSize = 10;
constexpr std::uint32_t kMaxResponse = 16384;

constexpr std::chrono::seconds kConnectLimit{5};
constexpr std::chrono::seconds kControlLimit{2};
// A busy swtpm answers a cancel after the command only, however long that takes.
constexpr std::chrono::hours kBusyLimit{1};

std::uint32_t announced_size(proto::Bytes header) {
  proto::ByteReader reader(header);
  reader.skip(2);
  return reader.be32();
}

std::string describe(const Failure& failure) {
  return failure.operation +
         (failure.error == 0 ? std::string() : std::string(": ") + std::strerror(failure.error));
}

}  // namespace

SwtpmDevice::SwtpmDevice(boost::asio::io_context& loop, std::string name, SwtpmAddress data,
                         SwtpmAddress control, Notice notice)
    : loop_(loop),
      name_(std::move(name)),
      data_(std::move(data)),
      control_(std::move(control)),
      notice_(std::move(notice)),
      deferred_(loop),
      io_(loop) {}

void SwtpmDevice::ask(ControlCommand command, AnswerHandler handler, std::uint8_t locality) {
  exchange_ = std::make_unique<ControlExchange>(loop_, control_, command, locality);
  exchange_->start(
      [this, handler = std::move(handler)](Answer answer) mutable {
        // The exchange is the one that calls, so it may go only after this call.
        io_.post([kept = std::move(exchange_)] {});
        handler(std::move(answer));
      },
      kControlLimit);
}

void SwtpmDevice::open(OpenHandler handler) {
  if (open_handler_ || connection_) {
    return deferred_.post_failure(
        std::move(handler),
        Failure{.operation = "open a swtpm that is open", .error = EBUSY, .reopen = false});
  }
  open_handler_ = std::move(handler);
  facts_ = {.interface_type = kEmulator, .owns_power = powered_};
  capabilities_ = 0;
  locality_.reset();
  ask(ControlCommand::GetCapability, [this](const Answer& answer) { on_capabilities(answer); });
}

void SwtpmDevice::on_capabilities(const Answer& answer) {
  if (answer) {
    capabilities_ = answer->capabilities;
  } else {
    notice_(describe(answer.error()) +
            ": no control channel; localities and cancel are not available");
  }
  facts_.can_cancel = offers(kControlCancel);
  facts_.localities = true;
  learn_family();
}

void SwtpmDevice::learn_family() {
  if (!offers(kControlGetInfo)) return check_power();
  ask(ControlCommand::GetInfo, [this](const Answer& answer) {
    if (answer) facts_.family = answer->family;
    check_power();
  });
}

// A question that only an initialized TPM answers, and that changes nothing.
void SwtpmDevice::check_power() {
  facts_.can_power_cycle = offers(kControlInit);
  const bool cycle = std::exchange(power_cycle_, false);
  if (cycle && facts_.can_power_cycle) return power_on();
  if (!offers(kControlGetTpmEstablished) || !offers(kControlInit)) return reset_locality();
  ask(ControlCommand::GetTpmEstablished, [this](const Answer& answer) {
    const bool off = answer && answer->result == kControlNotRunning;
    if (off) return power_on();
    reset_locality();
  });
}

void SwtpmDevice::power_on() {
  ask(ControlCommand::Init, [this](const Answer& answer) {
    if (!answer) return fail_open(answer.error());
    if (answer->result != 0) {
      return fail_open(
          {.operation = "initialize swtpm (its code " + std::to_string(answer->result) + ")",
           .advice = "look at swtpm's own messages: its state may be damaged"});
    }
    powered_ = facts_.owns_power = true;
    reset_locality();
  });
}

void SwtpmDevice::reset_locality() {
  if (!offers(kControlSetLocality)) return connect_data();
  ask(ControlCommand::SetLocality, [this](const Answer& answer) {
    if (answer && answer->result == 0) locality_ = 0;
    connect_data();
  });
}

void SwtpmDevice::connect_data() {
  connection_ = std::make_unique<SwtpmConnection>(loop_, data_);
  connection_->connect(
      [this](const std::expected<StreamSocket*, Failure>& socket) {
        if (!socket) return fail_open(socket.error());
        socket_ = *socket;
        std::exchange(open_handler_, nullptr)(facts_);
      },
      kConnectLimit);
}

void SwtpmDevice::fail_open(Failure failure) {
  io_.post([kept = std::move(connection_)] {});
  std::exchange(open_handler_, nullptr)(std::unexpected(std::move(failure)));
}

void SwtpmDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                           ResponseHandler handler) {
  if (command.size() > kMaxCommand) {
    return deferred_.post_failure(
        std::move(handler),
        Failure{.operation = "send swtpm a command of " + std::to_string(command.size()) + " bytes",
                .error = E2BIG,
                .reopen = false});
  }
  if (socket_ == nullptr) {
    return deferred_.post_failure(
        std::move(handler),
        Failure{.operation = "use a swtpm that is not connected", .error = ENOTCONN});
  }
  response_handler_ = std::move(handler);
  command_.assign(command.begin(), command.end());
  wanted_locality_ = locality;
  if (!cancel_exchange_) set_locality();
}

void SwtpmDevice::set_locality() {
  if (locality_.value_or(0) == wanted_locality_) return send_command();
  if (!offers(kControlSetLocality)) {
    return fail_command({.operation = "set swtpm's locality without its control channel",
                         .error = EOPNOTSUPP,
                         .reopen = false});
  }
  ask(
      ControlCommand::SetLocality,
      [this](const Answer& answer) {
        if (!answer) return fail_command(answer.error());
        if (answer->result != 0) {
          return fail_command(
              {.operation = "set swtpm's locality to " + std::to_string(wanted_locality_),
               .error = EINVAL,
               .reopen = false});
        }
        locality_ = wanted_locality_;
        send_command();
      },
      wanted_locality_);
}

// A command nearly always fits into the socket at once.
void SwtpmDevice::send_command() {
  sent_ = true;
  error_code error;
  const std::size_t count = socket_->write_some(boost::asio::buffer(command_), error);
  if (error && error != boost::asio::error::would_block) return fail_sending(error);
  writing_ = count < command_.size();
  if (writing_) send_rest(count);
  response_.clear();
  receive();
}

void SwtpmDevice::send_rest(std::size_t from) {
  boost::asio::async_write(*socket_, boost::asio::buffer(command_) + from,
                           [this, alive = io_.watch()](error_code error, std::size_t) {
                             if (alive.expired()) return;
                             writing_ = false;
                             if (error) fail_sending(error);
                           });
}

void SwtpmDevice::fail_sending(error_code error) {
  fail_command(Failure{.operation = "send swtpm a command", .error = error.value()});
}

// Whatever has come: a response is nearly always there in one piece.
void SwtpmDevice::receive() {
  socket_->async_read_some(boost::asio::buffer(received_),
                           [this, alive = io_.watch()](error_code error, std::size_t count) {
                             if (alive.expired()) return;
                             if (error)
                               return fail_command({.operation = "swtpm closed its data channel"});
                             take(proto::Bytes(received_).first(count));
                           });
}

void SwtpmDevice::take(proto::Bytes piece) {
  response_.insert(response_.end(), piece.begin(), piece.end());
  if (response_.size() < kHeaderSize) return receive();
  const std::uint32_t size = announced_size(response_);
  if (size < kHeaderSize || size > kMaxResponse || size < response_.size()) {
    return fail_command({.operation = "swtpm announces a response of " + std::to_string(size) +
                                      " bytes and sends others"});
  }
  if (response_.size() < size) return receive();
  deliver();
}

void SwtpmDevice::deliver() {
  if (writing_) return fail_command({.operation = "swtpm answered before it had the command"});
  sent_ = false;
  if (cancel_exchange_) cancel_exchange_->limit(kControlLimit);
  std::exchange(response_handler_, nullptr)(response_);
}

void SwtpmDevice::fail_command(Failure failure) {
  if (!response_handler_) return;
  sent_ = false;
  if (failure.reopen) {
    io_.drop();
    socket_ = nullptr;
    connection_.reset();
  }
  deferred_.post_failure(std::exchange(response_handler_, nullptr), std::move(failure));
}

void SwtpmDevice::cancel() {
  if (!sent_ || cancel_exchange_ || !offers(kControlCancel)) return;
  cancel_exchange_ =
      std::make_unique<ControlExchange>(loop_, control_, ControlCommand::CancelTpmCommand);
  cancel_exchange_->start([this](const Answer& answer) { on_cancel_answered(answer); }, kBusyLimit);
}

void SwtpmDevice::on_cancel_answered(const Answer& answer) {
  deferred_.post([kept = std::move(cancel_exchange_)] {});
  if (!answer) {
    capabilities_ &= ~kControlCancel;
    notice_(describe(answer.error()) + ": no further cancel is sent to this swtpm");
  }
  if (response_handler_ && !sent_) set_locality();
}

void SwtpmDevice::close(CloseHandler handler) {
  const Failure failure{.operation = "swtpm was disconnected", .error = ECANCELED};
  deferred_.post_failure(std::exchange(open_handler_, nullptr), failure);
  deferred_.post_failure(std::exchange(response_handler_, nullptr), failure);
  io_.drop();
  sent_ = false;
  socket_ = nullptr;
  exchange_.reset();
  cancel_exchange_.reset();
  connection_.reset();
  deferred_.post(std::move(handler));
}

}  // namespace tbs::device
