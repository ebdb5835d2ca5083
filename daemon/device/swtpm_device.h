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
// A successor adopts the data channel. What else it must know is in a record (device/swtpm_record).
//
// The daemon powers the TPM (`owns_power`) if it was the daemon that initialized it. One that
// somebody else has initialized is left as it is, unless it is in a state in which it serves
// nobody.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/device/notice.h"
#include "daemon/device/response_memory.h"
#include "daemon/device/swtpm_channel.h"
#include "daemon/device/swtpm_record.h"
#include "daemon/device/transceiver.h"
#include "daemon/device/unkept_memory.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class SwtpmDevice final : public Transceiver {
 public:
  // `name` is the specification that it came from.
  SwtpmDevice(boost::asio::io_context& loop, std::string name, SwtpmAddress data,
              SwtpmAddress control, Notice notice);

  void keep_in(ResponseMemory* memory) override;
  [[nodiscard]] std::vector<KeptDescriptor> kept() const override;
  void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) override;
  void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
              ResponseHandler handler) override;
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

  // What is wrong with what a predecessor has left; empty when it was taken over.
  std::string take_over(int descriptor);
  void remember();

  // The steps of a command.
  [[nodiscard]] std::optional<Failure> refusal(std::span<const std::uint8_t> command) const;
  void start(std::span<const std::uint8_t> command, std::uint8_t locality, ResponseHandler handler);
  void set_locality();
  void on_locality_set(const Answer& answer);
  void send_command();
  void send_rest();
  void receive();
  void on_readable();
  // Of the response, once its header is there; 0 before.
  [[nodiscard]] std::uint32_t announced_size() const;
  void look_at_response();
  void deliver();
  void fail_command(Failure failure);
  void hang_up();
  // The next command, until the control channel has answered this.
  void hold_back(ControlCommand until);
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
  std::unique_ptr<UnkeptMemory> unkept_;
  ResponseMemory* memory_;  // has the response as far as it has come
  std::uint8_t wanted_locality_ = 0;
  std::optional<std::uint8_t> locality_;  // as far as the daemon has set it
  bool locality_due_ = false;             // whether it may be another one, and must be set
  bool unfinished_ = false;               // a predecessor's command is on the data channel
  bool sent_ = false;                     // whether the command is with swtpm
  bool writing_ = false;                  // whether some of it may still be on its way
};

}  // namespace tbs::device
