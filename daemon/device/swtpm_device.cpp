#include "daemon/device/swtpm_device.h"

#include <cstring>
#include <utility>

#include <errno.h>
#include <unistd.h>

#include "daemon/base/fingerprint.h"
#include "daemon/base/ordered_store.h"
#include "daemon/device/adopted_socket.h"
#include "daemon/device/interface_type.h"
#include "proto/limits.h"

namespace tbs::device {
namespace {

using boost::system::error_code;

// What its TPM takes, that says itself.
constexpr std::size_t kSwtpmBuffer = proto::kMaxTpmMessage;
constexpr std::size_t kHeaderSize = 10;
constexpr const char* kSocketName = "data";

constexpr std::chrono::seconds kConnectLimit{5};
constexpr std::chrono::seconds kControlLimit{2};
// A busy swtpm answers a cancel after the command only, however long that takes.
constexpr std::chrono::hours kBusyLimit{1};

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
      io_(loop),
      unkept_(std::make_unique<UnkeptMemory>()),
      memory_(&unkept_->memory()) {}

void SwtpmDevice::keep_in(ResponseMemory* memory) {
  memory_ = memory != nullptr ? memory : &unkept_->memory();
}

std::vector<KeptDescriptor> SwtpmDevice::kept() const {
  if (socket_ == nullptr) return {};
  return {{.name = kSocketName, .descriptor = socket_->native_handle()}};
}

void SwtpmDevice::adopt(std::vector<KeptDescriptor> left, OpenHandler handler) {
  const int descriptor = take_descriptor(left, kSocketName);
  close_descriptors(left);
  std::string problem = take_over(descriptor);
  if (!problem.empty()) {
    return deferred_.post_failure(std::move(handler),
                                  Failure{.operation = "take over " + name_ + ": " + problem});
  }
  deferred_.post([facts = facts_, opened = std::move(handler)]() mutable { opened(facts); });
}

std::string SwtpmDevice::take_over(int descriptor) {
  const auto family = stream_family(descriptor);
  std::string problem;
  if (open_handler_ || connection_) problem = "it is open";
  if (!memory_->knows<SwtpmRecord>()) problem = "nothing is known of it";
  const SwtpmRecord record = memory_->device<SwtpmRecord>();
  if (problem.empty() && record.name != fingerprint(name_)) problem = "it is another one";
  if (problem.empty() && !family) problem = family.error();
  if (!problem.empty()) {
    if (descriptor >= 0) ::close(descriptor);
    return problem;
  }
  connection_ = std::make_unique<SwtpmConnection>(loop_, data_);
  socket_ = connection_->take_over(descriptor, *family);
  if (socket_ == nullptr) {
    connection_.reset();
    return "the socket cannot be watched";
  }
  capabilities_ = record.capabilities;
  powered_ = record.powered != 0;
  locality_.reset();
  if (record.locality != 0) locality_ = static_cast<std::uint8_t>(record.locality - 1);
  locality_due_ = record.locality_due != 0;
  facts_ = {.family = family_of_record(record.family),
            .interface_type = kEmulator,
            .can_cancel = offers(kControlCancel),
            .localities = true,
            .owns_power = powered_,
            .can_power_cycle = offers(kControlInit)};
  const std::uint32_t size = announced_size();
  unfinished_ = memory_->number() != 0 && memory_->command().sent.moved() > 0 &&
                (size == 0 || memory_->command().received.moved() < size);
  // Any answer after that cancel says that it hits nothing that comes later.
  if (record.cancelling != 0) hold_back(ControlCommand::GetCapability);
  return {};
}

void SwtpmDevice::remember() {
  SwtpmRecord& record = memory_->device<SwtpmRecord>();
  store_in_order(record.kind, 0);
  record = {.kind = 0,
            .name = fingerprint(name_),
            .capabilities = capabilities_,
            .family = to_record(facts_.family),
            .powered = powered_ ? 1U : 0U,
            .locality = locality_ ? *locality_ + 1U : 0U};
  store_in_order(record.kind, SwtpmRecord::kKind);
}

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
        unfinished_ = locality_due_ = false;
        remember();
        std::exchange(open_handler_, nullptr)(facts_);
      },
      kConnectLimit);
}

void SwtpmDevice::fail_open(Failure failure) {
  io_.post([kept = std::move(connection_)] {});
  std::exchange(open_handler_, nullptr)(std::unexpected(std::move(failure)));
}

std::optional<Failure> SwtpmDevice::refusal(std::span<const std::uint8_t> command) const {
  if (command.size() > kSwtpmBuffer) {
    return Failure{
        .operation = "send swtpm a command of " + std::to_string(command.size()) + " bytes",
        .error = E2BIG,
        .reopen = false};
  }
  if (socket_ == nullptr) {
    return Failure{.operation = "use a swtpm that is not connected", .error = ENOTCONN};
  }
  return std::nullopt;
}

void SwtpmDevice::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                           ResponseHandler handler) {
  if (auto refused = refusal(command)) {
    return deferred_.post_failure(std::move(handler), *std::move(refused));
  }
  if (memory_ == &unkept_->memory()) memory_->begin(1);
  start(command, locality, std::move(handler));
  if (unfinished_) {
    return fail_command({.operation = "use swtpm before its last command has ended"});
  }
  if (!cancel_exchange_) set_locality();
}

void SwtpmDevice::resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                         ResponseHandler handler) {
  if (auto refused = refusal(command)) {
    return deferred_.post_failure(std::move(handler), *std::move(refused));
  }
  start(command, locality, std::move(handler));
  unfinished_ = false;
  sent_ = memory_->command().sent.moved() > 0;
  if (sent_) {
    deferred_.post([this, watched = io_.watch()] {
      if (!watched.expired() && response_handler_) send_command();
    });
  } else if (!cancel_exchange_) {
    set_locality();
  }
}

void SwtpmDevice::start(std::span<const std::uint8_t> command, std::uint8_t locality,
                        ResponseHandler handler) {
  response_handler_ = std::move(handler);
  command_.assign(command.begin(), command.end());
  wanted_locality_ = locality;
}

void SwtpmDevice::set_locality() {
  if (!locality_due_ && locality_.value_or(0) == wanted_locality_) return send_command();
  if (!offers(kControlSetLocality)) {
    return fail_command({.operation = "set swtpm's locality without its control channel",
                         .error = EOPNOTSUPP,
                         .reopen = false});
  }
  memory_->device<SwtpmRecord>().locality_due = 1;
  ask(
      ControlCommand::SetLocality, [this](const Answer& answer) { on_locality_set(answer); },
      wanted_locality_);
}

void SwtpmDevice::on_locality_set(const Answer& answer) {
  if (!answer) return fail_command(answer.error());
  if (answer->result != 0) {
    return fail_command({.operation = "set swtpm's locality to " + std::to_string(wanted_locality_),
                         .error = EINVAL,
                         .reopen = false});
  }
  locality_ = wanted_locality_;
  locality_due_ = false;
  SwtpmRecord& record = memory_->device<SwtpmRecord>();
  store_in_order(record.locality, wanted_locality_ + 1U);
  store_in_order(record.locality_due, 0);
  send_command();
}

// A command nearly always fits into the socket at once.
void SwtpmDevice::send_command() {
  sent_ = true;
  send_rest();
  if (response_handler_) look_at_response();
}

void SwtpmDevice::send_rest() {
  const auto all = memory_->command().sent.send(socket_->native_handle(), command_);
  if (!all) return fail_command({.operation = "send swtpm a command", .error = all.error()});
  writing_ = !*all;
  if (!writing_) return;
  socket_->async_wait(StreamSocket::wait_write, [this, alive = io_.watch()](error_code error) {
    if (!error && !alive.expired() && response_handler_) send_rest();
  });
}

void SwtpmDevice::receive() {
  socket_->async_wait(StreamSocket::wait_read, [this, alive = io_.watch()](error_code error) {
    if (!error && !alive.expired() && response_handler_) on_readable();
  });
}

// Whatever has come: a response is nearly always there in one piece.
void SwtpmDevice::on_readable() {
  const auto count =
      memory_->command().received.receive(socket_->native_handle(), memory_->response());
  if (!count && count.error() == EAGAIN) return receive();
  if (!count || *count == 0) return fail_command({.operation = "swtpm closed its data channel"});
  look_at_response();
}

std::uint32_t SwtpmDevice::announced_size() const {
  if (memory_->command().received.moved() < kHeaderSize) return 0;
  proto::ByteReader reader(memory_->response());
  reader.skip(2);
  return reader.be32();
}

void SwtpmDevice::look_at_response() {
  const std::size_t received = memory_->command().received.moved();
  if (received < kHeaderSize) return receive();
  const std::uint32_t size = announced_size();
  if (size < kHeaderSize || size > memory_->response().size() || size < received) {
    return fail_command({.operation = "swtpm announces a response of " + std::to_string(size) +
                                      " bytes and sends others"});
  }
  if (received < size) return receive();
  deliver();
}

void SwtpmDevice::deliver() {
  if (writing_) return fail_command({.operation = "swtpm answered before it had the command"});
  sent_ = false;
  if (cancel_exchange_) cancel_exchange_->limit(kControlLimit);
  std::exchange(response_handler_, nullptr)(memory_->response().first(announced_size()));
}

void SwtpmDevice::fail_command(Failure failure) {
  if (!response_handler_) return;
  sent_ = false;
  if (failure.reopen) {
    io_.drop();
    hang_up();
  }
  deferred_.post_failure(std::exchange(response_handler_, nullptr), std::move(failure));
}

void SwtpmDevice::cancel() {
  if (!sent_ || cancel_exchange_ || !offers(kControlCancel)) return;
  memory_->device<SwtpmRecord>().cancelling = 1;
  hold_back(ControlCommand::CancelTpmCommand);
}

void SwtpmDevice::hold_back(ControlCommand until) {
  cancel_exchange_ = std::make_unique<ControlExchange>(loop_, control_, until);
  cancel_exchange_->start([this](const Answer& answer) { on_cancel_answered(answer); }, kBusyLimit);
}

void SwtpmDevice::on_cancel_answered(const Answer& answer) {
  deferred_.post([kept = std::move(cancel_exchange_)] {});
  memory_->device<SwtpmRecord>().cancelling = 0;
  if (!answer) {
    capabilities_ &= ~kControlCancel;
    notice_(describe(answer.error()) + ": no further cancel is sent to this swtpm");
  }
  if (response_handler_ && !sent_) set_locality();
}

// swtpm serves one connection at a time, and whoever keeps descriptors for a successor may still
// have this one.
void SwtpmDevice::hang_up() {
  boost::system::error_code ignored;
  if (socket_ != nullptr) socket_->shutdown(StreamSocket::shutdown_both, ignored);
  socket_ = nullptr;
  connection_.reset();
}

void SwtpmDevice::close(CloseHandler handler) {
  const Failure failure{.operation = "swtpm was disconnected", .error = ECANCELED};
  deferred_.post_failure(std::exchange(open_handler_, nullptr), failure);
  deferred_.post_failure(std::exchange(response_handler_, nullptr), failure);
  io_.drop();
  sent_ = false;
  unfinished_ = false;
  memory_->device<SwtpmRecord>().kind = 0;
  exchange_.reset();
  cancel_exchange_.reset();
  hang_up();
  deferred_.post(std::move(handler));
}

}  // namespace tbs::device
