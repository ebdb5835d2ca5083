#pragma once

// What is behind a TCTI context: a channel to the daemon and at most one command on it.
//
//                                                                     setLocality
//   state     transmit       receive                          cancel  makeSticky   getPollHandles
//   Transmit  -> Receive     BAD_SEQUENCE                     BAD_SEQ ok           ok
//   Receive   BAD_SEQUENCE   response taken: -> Transmit      ok      BAD_SEQUENCE ok
//                            not there, or only its size
//                            asked for, or no room: Receive
//                            connection lost: -> Transmit
//
// One thread uses it, as the TCTI specification has it, except that cancel() may be called by
// another while this one waits in receive(). When the connection is lost that is reported once;
// the next transmit connects anew and says that objects and sessions are gone.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include <tss2/tss2_tcti.h>

#include "client/channel.h"
#include "client/tcti/tcti_config.h"

namespace tbs::tcti {

class Session {
 public:
  explicit Session(Config config) : config_(std::move(config)) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const Config& config() const { return config_; }

  // Connects if there is no connection; says on standard error why it cannot.
  TSS2_RC connect();

  TSS2_RC transmit(proto::Bytes command);
  // `response` null: tells only the size.
  TSS2_RC receive(std::uint8_t* response, std::size_t& size, std::int32_t timeout);
  TSS2_RC cancel();
  TSS2_RC set_locality(std::uint8_t locality);
  // Virtual handles do not change when what they name is loaded: `handle` stays as it is.
  TSS2_RC make_sticky(TPM2_HANDLE handle, bool sticky);
  TSS2_RC poll_handle(TSS2_TCTI_POLL_HANDLE& handle);

 private:
  TSS2_RC lose_connection(proto::Status why);
  TSS2_RC deliver(proto::Status status, std::uint8_t* response, std::size_t& size);
  TSS2_RC deliver_substitute(std::uint8_t* response, std::size_t& size);

  const Config config_;
  std::uint8_t locality_ = 0;
  // In place of the response of a command that has none.
  proto::Buffer substitute_;

  std::mutex mutex_;  // the two below, for cancel()
  std::shared_ptr<client::Channel> channel_;
  std::optional<std::uint64_t> request_;  // the command that is out: the state Receive
  bool lost_ = false;
};

}  // namespace tbs::tcti
