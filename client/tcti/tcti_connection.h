#pragma once

// What is behind a TCTI context: a context of the daemon's and at most one command on it.
//
//                                                                     setLocality
//   state     transmit       receive                          cancel  makeSticky   getPollHandles
//   Transmit  -> Receive     BAD_SEQUENCE                     BAD_SEQ ok           ok
//   Receive   BAD_SEQUENCE   response taken: -> Transmit      ok      BAD_SEQUENCE ok
//                            not there, or only its size
//                            asked for, or no room: Receive
//
// One thread uses it, as the TCTI specification has it, except that cancel() may be called by
// another while this one waits in receive().
//
// A command that has no response gets one of ten bytes, whatever the reason: ESYS takes that for
// the answer to the command and goes on. After an error of transmit(), or one of receive() other
// than TRY_AGAIN, an ESYS context is of no use any more (esys/api/Esys_*.c of tpm2-tss:
// _ESYS_STATE_INTERNALERROR). So both fail for what the caller does wrong alone. A lost connection
// is made anew by the next call, which says that objects and sessions are gone.

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include <tss2/tss2_tcti.h>

#include "client/context.h"
#include "client/tcti/tcti_config.h"

namespace tbs::tcti {

class Session {
 public:
  explicit Session(Config config) : config_(std::move(config)) {}
  // In a forked child; `from`: of the parent's session.
  Session(Config config, std::optional<client::Inheritance> from)
      : config_(std::move(config)), forked_(true), from_(from), for_children_(from) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] const Config& config() const { return config_; }
  // What a child needs that is forked now, or was just forked. The child may ask the parent's
  // session for it, though nothing else.
  [[nodiscard]] std::optional<client::Inheritance> for_children() const;
  // Lets go of the parent's connection.
  void leave_parent();

  // The first connection; says on standard error why it cannot be made. A forked child's first one
  // is made when it is needed.
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
  std::expected<std::uint64_t, proto::Status> begin(proto::Bytes command);
  proto::Status first_connection();
  void inherit();
  void note_inheritance();
  TSS2_RC deliver(proto::Status status, std::uint8_t* response, std::size_t& size);
  void substitute(proto::Status status);
  TSS2_RC deliver_substitute(std::uint8_t* response, std::size_t& size);
  void note_reconnection();
  void set_request(std::optional<std::uint64_t> request);

  const Config config_;
  const bool forked_ = false;
  // Until there are copies of what the parent has.
  std::optional<client::Inheritance> from_;
  std::optional<client::Inheritance> for_children_;  // under the library's lock
  std::shared_ptr<client::Context> context_;
  std::uint32_t known_reconnections_ = 0;
  std::uint8_t locality_ = 0;
  // In place of the response of a command that has none; whether the poll descriptor shows it.
  proto::Buffer substitute_;
  bool shown_ = false;

  std::mutex mutex_;  // what is below, for cancel()
  // The command that is out: the state Receive. kNeverBegun: the daemon does not have it.
  std::optional<std::uint64_t> request_;
};

}  // namespace tbs::tcti
