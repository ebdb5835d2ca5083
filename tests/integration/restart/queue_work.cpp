// Several commands of one client outstanding at a time.

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tests/integration/restart/work.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/client_commands.h"
#include "tests/support/digest.h"

namespace tbs::test {
namespace {

using proto::Buffer;

unsigned one_of(unsigned count) {
  return random_bytes(1)[0] % count;
}

// What waits in the daemon's queue: the TPM must get it in its order, and once.
class QueuedUpdates final : public Work {
 public:
  explicit QueuedUpdates(const Setting& setting) : context_(setting.socket, false, setting.times) {}

  void round() override {
    const std::uint32_t sequence = tpm::handle(context_.run(tpm::hash_sequence_start()));
    std::vector<TBSX_REQUEST> begun;
    Buffer message;
    const unsigned updates = 2 + one_of(20);
    for (unsigned i = 0; i < updates; ++i) {
      const Buffer part = random_bytes(1 + one_of(64));
      begun.push_back(context_.begin(command::update(sequence, part)));
      message.insert(message.end(), part.begin(), part.end());
    }
    begun.push_back(context_.begin(command::complete(sequence)));
    Buffer last;
    for (const TBSX_REQUEST request : begun) {
      const auto response = context_.take(request);
      if (!response) throw Fault("wrong: a command that nobody has cancelled is cancelled");
      if (tpm::code(*response) != tpm::kSuccess) throw Fault("wrong: an update fails");
      last = *response;
    }
    if (tpm::sequence_result(last) != sha256(message)) {
      throw Fault("wrong: updates were lost, came twice or in another order");
    }
  }

 private:
  Context context_;
};

// Cancels what is queued and what runs, also when it has run for long enough to be left to itself.
// What it makes nevertheless must not stay.
class Cancels final : public Work {
 public:
  explicit Cancels(const Setting& setting) : context_(setting.socket, false, setting.times) {}

  void round() override {
    std::vector<TBSX_REQUEST> begun;
    const unsigned commands = 1 + one_of(4);
    for (unsigned i = 0; i < commands; ++i) {
      begun.push_back(context_.begin(one_of(2) == 0 ? tpm::create_primary_rsa(2048)
                                                    : tpm::create_primary_ecc()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(one_of(60)));
    context_.cancel();
    for (const TBSX_REQUEST request : begun) {
      const auto response = context_.take(request);
      if (!response || tpm::code(*response) == TPM2_RC_CANCELED) continue;
      if (tpm::code(*response) != tpm::kSuccess) throw Fault("wrong: CreatePrimary fails");
      context_.run(tpm::flush_context(tpm::handle(*response)));
    }
    // It comes when the others have been flushed.
    if (!tpm::handles(context_.run(tpm::get_handles(tpm::kTransientFirst))).empty()) {
      throw Fault("wrong: a cancelled command has left an object");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }

 private:
  Context context_;
};

}  // namespace

TBSX_REQUEST Context::begin(const Buffer& command) {
  TBSX_REQUEST request = 0;
  check(Tbsx_Submit_Begin(context_, TBS_COMMAND_LOCALITY_ZERO, TBS_COMMAND_PRIORITY_NORMAL,
                          command.data(), static_cast<UINT32>(command.size()), &request));
  return request;
}

std::optional<Buffer> Context::take(TBSX_REQUEST request) {
  Buffer response(4096);
  auto size = static_cast<UINT32>(response.size());
  const TBS_RESULT result = Tbsx_Submit_Result(context_, request, response.data(), &size, -1);
  if (result == TBS_E_COMMAND_CANCELED) return std::nullopt;
  check(result);
  times_.note();
  response.resize(size);
  return response;
}

void Context::cancel() {
  check(Tbsip_Cancel_Commands(context_));
}

std::unique_ptr<Work> queue_updates(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<QueuedUpdates>(setting);
}
std::unique_ptr<Work> cancel_commands(const Setting& setting, unsigned /*number*/) {
  return std::make_unique<Cancels>(setting);
}

}  // namespace tbs::test
