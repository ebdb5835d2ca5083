#pragma once

// A running swtpm in socket mode. Commands and responses are bare TPM bytes on its data channel,
// which serves one client: us. The control channel is asked when the device is opened (is the TPM
// initialized? of which family?), when the locality changes, and to cancel. A swtpm without one, or
// whose control channel does not answer, works as far as it can.
//
// In socket mode swtpm reads its control channel between commands only, so a cancel comes too late
// there and does nothing; it is sent all the same, for servers that can. Until the control channel
// has answered it, within limits, the next command is held back: that is what keeps a late cancel
// from hitting it.
//
// The daemon powers the TPM (`owns_power`) if it was the daemon that initialized it. One that
// somebody else has initialized is left as it is, unless it is in a state in which it serves
// nobody.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/device/notice.h"
#include "daemon/device/swtpm_channel.h"
#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class SwtpmDevice final : public Transceiver {
 public:
  // `name` is the specification that it came from.
  SwtpmDevice(boost::asio::io_context& loop, std::string name, SwtpmAddress data,
              SwtpmAddress control, Notice notice);

  void open(OpenHandler handler) override;
  void want_power_cycle() override { power_cycle_ = true; }
  void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                ResponseHandler handler) override;
  void cancel() override;
  void close(CloseHandler handler) override;
  [[nodiscard]] std::string_view name() const override { return name_; }

 private:
  using Answer = std::expected<ControlAnswer, Failure>;
  using AnswerHandler = std::move_only_function<void(Answer)>;

  void ask(ControlCommand command, AnswerHandler handler, std::uint8_t locality = 0);
  [[nodiscard]] bool offers(std::uint64_t capability) const {
    return (capabilities_ & capability) != 0;
  }

  // The steps of open(), in this order.
  void on_capabilities(const Answer& answer);
  void learn_family();
  void check_power();
  void power_on();
  void reset_locality();
  void connect_data();
  void fail_open(Failure failure);

  // The steps of a command.
  void set_locality();
  void send_command();
  void send_rest(std::size_t from);
  void fail_sending(boost::system::error_code error);
  void receive();
  void take(proto::Bytes piece);
  void deliver();
  void fail_command(Failure failure);
  void on_cancel_answered(const Answer& answer);

  boost::asio::io_context& loop_;
  std::string name_;
  SwtpmAddress data_;
  SwtpmAddress control_;
  Notice notice_;
  loop::Deferred deferred_;  // handlers owed to the caller
  loop::Deferred io_;        // operations of the connection that is open

  std::unique_ptr<SwtpmConnection> connection_;
  std::unique_ptr<ControlExchange> exchange_;  // of open() or of a locality
  std::unique_ptr<ControlExchange> cancel_exchange_;
  StreamSocket* socket_ = nullptr;
  std::uint64_t capabilities_ = 0;
  Facts facts_;
  bool powered_ = false;
  bool power_cycle_ = false;

  OpenHandler open_handler_;
  ResponseHandler response_handler_;
  proto::Buffer command_;
  std::array<std::uint8_t, 4096> received_{};
  proto::Buffer response_;  // as far as it has come
  std::uint8_t wanted_locality_ = 0;
  std::optional<std::uint8_t> locality_;  // as far as the daemon has set it
  bool sent_ = false;                     // whether the command is with swtpm
  bool writing_ = false;                  // whether some of it may still be on its way
};

}  // namespace tbs::device
