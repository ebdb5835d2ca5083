#include "client/tbsctl/health/ask_health.h"

#include <algorithm>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/text/priority.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm_header.h"

namespace tbs::ctl {
namespace {

using client::Clock;
using proto::Status;

constexpr std::uint32_t kOldFamily = 1;

struct Times {
  client::Deadline all;
  client::Deadline tpm;  // the rest is for asking tbsd why the TPM said nothing
};

// An answer whose status says success.
template <typename Request>
std::expected<proto::ReplyTo<Request>, Failure> succeed(Conversation& daemon,
                                                        const Request& request,
                                                        client::Deadline deadline) {
  auto reply = daemon.ask(request, deadline);
  if (reply && reply->status != Status::Success) {
    return std::unexpected(tbs_failure("tbsd refuses to tell how it is", reply->status));
  }
  return reply;
}

std::expected<Conversation, Failure> talk(const Connector& connect, proto::Role role,
                                          client::Deadline deadline, std::uint64_t& context) {
  auto stream = connect(deadline);
  if (!stream) return std::unexpected(std::move(stream.error()));
  Conversation daemon(*std::move(stream));
  const auto hello = daemon.handshake(role, proto::kWantTpm12 | proto::kWantTpm20, deadline);
  if (!hello) return std::unexpected(hello.error());
  context = hello->context;
  return daemon;
}

// Whether our own command is what the TPM does not answer, or waits for another.
TpmReply silence(Conversation& observer, std::uint64_t context, client::Deadline deadline) {
  const auto page = observer.ask(proto::ListContexts{.after = context - 1}, deadline);
  const bool waits = page && !page->entries.empty() && page->entries.front().context == context &&
                     page->entries.front().running == 0;
  return waits ? TpmReply::Busy : TpmReply::Silent;
}

void take_answer(HealthFacts& facts, const proto::Result& result) {
  if (result.status != Status::Success) {
    facts.tpm = TpmReply::Failed;
    facts.tpm_failure = tbs_failure("a short command did not reach the TPM", result.status).message;
    return;
  }
  facts.tpm = TpmReply::Answered;
  if (const auto header = proto::read_tpm_header(result.response)) {
    facts.tpm_response = header->code;
  }
  facts.lockout = read_tpm_lockout(result.response);
}

void ask_tpm(HealthFacts& facts, Conversation& observer, const Connector& connect,
             const Times& times) {
  const auto info = observer.ask(proto::DeviceInfo{}, times.tpm);
  const bool old = info && info->tpm_version == kOldFamily;
  const proto::Buffer command = old ? tpm12::build::pcr_read(0) : tpm_lockout_query();
  std::uint64_t context = 0;
  auto daemon = talk(connect, proto::Role::Context, times.tpm, context);
  if (!daemon) {
    facts.tpm = TpmReply::NoContext;
    facts.tpm_failure = daemon.error().message;
    return;
  }
  const auto sent = Clock::now();
  const auto result =
      daemon->ask(proto::Submit{.priority = kPriorityHigh, .command = command}, times.tpm);
  if (result) return take_answer(facts, *result);
  facts.tpm = TpmReply::Failed;
  facts.tpm_failure = result.error().message;
  if (!client::is_over(times.tpm)) return;
  facts.tpm_waited_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sent).count());
  facts.tpm = silence(observer, context, times.all);
  // What it said before may be out of date by now.
  if (auto status = succeed(observer, proto::DaemonStatus{}, times.all)) {
    facts.status = *std::move(status);
  }
}

}  // namespace

HealthFacts ask_health(const Connector& connect, const HealthQuestion& question) {
  HealthFacts facts;
  const auto now = Clock::now();
  const Times times{.all = now + question.time, .tpm = now + question.time * 3 / 4};
  std::uint64_t none = 0;
  auto observer = talk(connect, proto::Role::Observer, times.all, none);
  if (!observer) {
    facts.unreachable = observer.error().message;
    return facts;
  }
  auto status = succeed(*observer, proto::DaemonStatus{}, times.all);
  if (!status) {
    facts.unreachable = status.error().message;
    return facts;
  }
  facts.status = *std::move(status);
  if (auto limits = succeed(*observer, proto::ListLimits{}, times.all)) {
    facts.limits = std::move(limits->entries);
  }
  const bool ready = facts.status->device_state == proto::DeviceState::Ready;
  if (ready && question.ask_tpm) ask_tpm(facts, *observer, connect, times);
  return facts;
}

}  // namespace tbs::ctl
