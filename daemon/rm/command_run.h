#pragma once

// One client command on its way through the resource manager: what the parts of its execution
// share. The parts are command_decision (can it be answered without the TPM), context_commands
// (FlushContext, ContextSave, ContextLoad), command_repair (what to do when the TPM refuses) and
// command_results (what its success means to the tables); client_execution puts them in order.

#include <cstdint>
#include <utility>

#include "daemon/base/ids.h"
#include "daemon/command/client_command.h"
#include "daemon/rm/plan.h"
#include "daemon/rm/state.h"
#include "daemon/tpm/command_view.h"
#include "daemon/tpm/response_code.h"
#include "proto/byte_writer.h"

namespace tbs::rm {

struct CommandRun {
  CommandRun(State& all, SharedCommand asked)
      : state(all), context(asked->context()), client(std::move(asked)), command(client->bytes()) {}
  // `view` and `command` point into what it holds.
  CommandRun(const CommandRun&) = delete;
  CommandRun& operator=(const CommandRun&) = delete;
  CommandRun(CommandRun&&) = delete;
  CommandRun& operator=(CommandRun&&) = delete;
  ~CommandRun() = default;

  State& state;
  ContextId context;
  SharedCommand client;
  proto::Bytes command;  // of the client, or `instead`
  proto::Buffer instead;
  tpm::CommandView view;
  Plan plan;
  // What the client gets; empty until it is known.
  proto::Buffer reply;

  [[nodiscard]] const Principal& principal() const { return state.contexts.at(context); }

  // These make the reply without the TPM, and return true.
  bool refuse(std::uint32_t code) {
    ++state.statistics.refused;
    reply = tpm::refusal(code);
    return true;
  }
  bool reply_from_memory(proto::Buffer answer) {
    ++state.statistics.from_memory;
    reply = std::move(answer);
    return true;
  }
};

}  // namespace tbs::rm
