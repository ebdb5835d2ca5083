#pragma once

// A dispatcher over an engine that passes everything on, with a clock of the test's own, and what
// goes in and out of it.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/exec/pass_through.h"
#include "daemon/sched/dispatcher.h"
#include "proto/byte_writer.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

namespace tbs::sched::test {

using namespace std::chrono_literals;
using proto::Status;

using Message = std::vector<std::uint8_t>;

inline constexpr std::uint32_t kStartup = TPM2_CC_Startup;
inline constexpr std::uint32_t kGetRandom = TPM2_CC_GetRandom;
inline constexpr std::uint32_t kCreatePrimary = TPM2_CC_CreatePrimary;
inline constexpr std::uint32_t kFlushContext = TPM2_CC_FlushContext;

inline Message message(std::uint32_t code, std::vector<std::uint32_t> words = {}) {
  tpm::CommandBuilder builder(code);
  for (const std::uint32_t word : words) builder.u32(word);
  return builder.finish();
}

inline std::uint32_t code_of(const Message& bytes) {
  return proto::read_tpm_header(bytes)->code;
}

// The response of GetCapability(TPM_PROPERTIES) to the bring-up: one property, the manufacturer.
inline Message properties() {
  return tpm::properties_response(
      {.more = false, .items = {{.name = tpm::pt::kManufacturer, .value = 0x49424D20}}});
}

// One command, which comes later when the TPM is not ready for it: what a resource manager makes of
// that.
class AskedAgain final : public exec::Execution {
 public:
  explicit AskedAgain(SharedCommand command) : command_(std::move(command)) {}

  exec::Step start() override {
    const proto::Bytes bytes = command_->bytes();
    return exec::Transmit{.command = {bytes.begin(), bytes.end()}, .client_command = true};
  }
  exec::Step on_response(proto::Bytes response) override {
    const std::uint32_t code = proto::read_tpm_header(response)->code;
    const exec::Later later = code == tpm::rc::kNvRate  ? exec::Later::NvWrites
                              : code == tpm::rc::kRetry ? exec::Later::Command
                                                        : exec::Later::No;
    if (withdrawn_ && later != exec::Later::No) {
      return exec::Done{.status = Status::CommandCanceled, .response = {}};
    }
    return exec::Done{.response = {response.begin(), response.end()}, .later = later};
  }
  exec::Step on_pause_over() override { return exec::Done{}; }
  void withdraw() override { withdrawn_ = true; }
  void detach() override { withdrawn_ = true; }

 private:
  SharedCommand command_;
  bool withdrawn_ = false;
};

// Passes everything on, and counts what it is told.
class CountingEngine : public exec::PassThrough {
 public:
  using PassThrough::PassThrough;
  void device_lost() override { ++times_lost; }
  std::unique_ptr<exec::Execution> execute(SharedCommand command) override {
    if (!asks_again) return PassThrough::execute(std::move(command));
    return std::make_unique<AskedAgain>(std::move(command));
  }

  int times_lost = 0;
  bool asks_again = false;
};

class Bench {
 public:
  explicit Bench(DeadlineOf deadline_of = [](std::uint32_t) { return 60s; })
      : dispatcher{engine, {.deadline_of = deadline_of}} {
    take();
  }

  void start() {
    dispatcher.device_opened(now);
    respond(message(tpm::rc::kInitialize));
    respond(properties());
    take();
    REQUIRE(count<DeviceReady>() == 1);
    actions.clear();
  }

  void open(std::uint64_t context) {
    engine.open_context(ContextId{context}, principal_of(UserId{1000}));
  }

  void submit(std::uint64_t context, std::uint64_t id, std::uint32_t code = kGetRandom,
              std::uint32_t priority = 200) {
    dispatcher.submit(tbs::test::client_command({.context = ContextId{context},
                                                 .request = RequestId{id},
                                                 .priority = priority,
                                                 .bytes = message(code)}),
                      now);
    take();
  }

  void respond(const Message& response) {
    dispatcher.device_responded(response, now);
    take();
  }

  void pass(Duration time) {
    now += time;
    dispatcher.tick(now);
    take();
  }

  template <typename Kind>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        actions, [](const Action& a) { return std::holds_alternative<Kind>(a); }));
  }

  // The answers so far, as request id and status.
  std::vector<std::pair<std::uint64_t, Status>> answers() const {
    std::vector<std::pair<std::uint64_t, Status>> list;
    for (const Action& action : actions) {
      if (const auto* const answer = std::get_if<Answer>(&action)) {
        list.emplace_back(static_cast<std::uint64_t>(answer->request), answer->status);
      }
    }
    return list;
  }

  // The command codes sent to the device so far.
  std::vector<std::uint32_t> sent() const {
    std::vector<std::uint32_t> codes;
    for (const Action& action : actions) {
      if (const auto* const send = std::get_if<SendToDevice>(&action)) {
        codes.push_back(code_of(send->command));
      }
    }
    return codes;
  }

  void take() {
    for (Action& action : dispatcher.take_actions()) actions.push_back(std::move(action));
  }

  TimePoint now{};
  exec::TpmIdentity identity;
  CountingEngine engine{identity};
  Dispatcher dispatcher;
  std::vector<Action> actions;
};

using Answers = std::vector<std::pair<std::uint64_t, Status>>;

}  // namespace tbs::sched::test
