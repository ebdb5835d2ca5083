#pragma once

// The start of the TPM as one program sees it. The TPM is shared and runs, whatever a program does
// to its own: until it has switched that off for the first time, there is nothing to pretend. From
// then on its commands are answered as by a TPM that waits for its Startup, which is the program's
// to send.

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::ctl::bridge {

class PowerState {
 public:
  // Switched off, or reset: it waits for its Startup.
  void cycle();
  // The response to a command for which the TPM is not started; nothing: it is to be run.
  std::optional<proto::Buffer> answer(proto::Bytes command);
  // The program has prepared the TPM for a loss of power, or no longer.
  void prepared(bool for_resume) { prepared_ = for_resume; }

 private:
  std::uint32_t code_20(std::uint32_t ordinal, bool sessions, proto::Bytes parameters);
  std::uint32_t code_12(std::uint32_t ordinal, bool authorized, proto::Bytes parameters);
  void start();

  bool waits_ = false;     // for a Startup
  bool prepared_ = false;  // to resume
};

// tbsd has started the TPM already, which is what a program wants that starts it: where `response`
// says so, what a TPM that waits for this Startup says. Else nothing.
std::optional<proto::Buffer> answer_to_first_start(proto::Bytes command, proto::Bytes response);

// Whether the program has seen by this that its TPM is started.
bool shows_started(proto::Bytes command, proto::Bytes response);

// What a command that was run says of the state that the next start may go on with: nothing, when
// it is neither Shutdown nor TPM_SaveState or has failed.
std::optional<bool> prepares_resume(proto::Bytes command, proto::Bytes response);

}  // namespace tbs::ctl::bridge
