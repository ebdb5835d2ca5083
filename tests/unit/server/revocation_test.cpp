#include "daemon/server/revocation.h"

#include "daemon/sched/dispatcher.h"
#include "proto/tpm/capability.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

// A dispatcher whose device never answers, behind the server.
class DispatcherSink : public server::CommandSink {
 public:
  std::function<void(sched::Answer)> deliver;

  DispatcherSink() {
    dispatcher_.device_opened({});
    dispatcher_.take_actions();
    dispatcher_.device_responded(tpm_message(tpm::rc::kInitialize), {});
    // One property, the manufacturer.
    dispatcher_.device_responded(
        tpm::properties_response(
            {.more = false, .items = {{.name = tpm::pt::kManufacturer, .value = 0x49424D20}}}),
        {});
    dispatcher_.take_actions();
  }

  void skip_handles(ContextId context, std::uint32_t earlier) override {
    engine_.skip_handles(context, earlier);
  }
  void hand_over(const sched::HandoverTerms&, server::HandoverEvents) override {}
  void handed_over_before(const sched::HandoverDeadlines&, server::HandoverEvents) override {}
  void take_back() override {}
  void inherit(ContextId heir, ContextId from) override { engine_.inherit(heir, from); }
  void open_context(ContextId context, const Principal& user) override {
    engine_.open_context(context, user);
  }
  void close_context(ContextId context) override { dispatcher_.close_context(context, {}); }
  void submit(SharedCommand command) override {
    dispatcher_.submit(std::move(command), {});
    carry_out();
  }
  void cancel(ContextId context, std::optional<RequestId> only) override {
    dispatcher_.cancel(context, only, {});
    carry_out();
  }
  proto::Status make_sticky(ContextId, std::uint32_t, bool) override { return Status::Success; }
  [[nodiscard]] server::DeviceView device() const override {
    return {.state = proto::DeviceState::Ready, .max_command = 4096};
  }
  [[nodiscard]] const exec::TpmIdentity& identity() const override { return identity_; }
  [[nodiscard]] exec::Usage usage() const override { return {}; }
  [[nodiscard]] exec::AccountUsage usage_of(AccountId) const override { return {}; }
  [[nodiscard]] std::vector<proto::HoldingEntry> held_by(ContextId, std::size_t) const override {
    return {};
  }
  [[nodiscard]] sched::RunningView running_of(ContextId) const override { return {}; }
  [[nodiscard]] sched::TpmActivity activity(TimePoint now) const override {
    return dispatcher_.activity(now);
  }
  [[nodiscard]] sched::ContextActivity activity_of(AccountId account, ContextId context,
                                                   TimePoint now) const override {
    return dispatcher_.activity_of(account, context, now);
  }
  [[nodiscard]] const sched::Counters& counters() const override { return dispatcher_.counters(); }
  [[nodiscard]] std::size_t queued() const override { return dispatcher_.queued(); }

 private:
  void carry_out() {
    for (auto& action : dispatcher_.take_actions()) {
      if (auto* const answer = std::get_if<sched::Answer>(&action)) deliver(std::move(*answer));
    }
  }

  exec::TpmIdentity identity_;
  exec::PassThrough engine_{identity_};
  sched::Dispatcher dispatcher_{
      engine_, {.deadline_of = [](std::uint32_t) { return std::chrono::seconds(60); }}};
};

// A member of the administrators' group, as the administrators' socket has it.
constexpr UserId kAdministrator{1001};

}  // namespace

TEST_CASE("an administrator who is not user 0 revokes, then cancels all that is queued",
          "[server][revocation]") {
  DispatcherSink sink;
  ServerBench bench(sink);
  sink.deliver = bench.deliver();
  const auto other = bench.context(1000);
  const auto admin = bench.context(1001, {kAdminGroup});
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  other->send_from_client(2, proto::Submit{.priority = 200, .command = command});  // runs
  admin->send_from_client(2, proto::Submit{.priority = 200, .command = command});
  admin->send_from_client(3, proto::RevokeAttestation{});
  admin->send_from_client(4, proto::Submit{.priority = 200, .command = command});
  REQUIRE(sink.queued() == 3);
  admin->send_from_client(5, proto::Cancel{});
  CHECK(sink.queued() == 0);
  std::vector<std::uint64_t> answered;
  for (const Received& frame : admin->take()) answered.push_back(frame.request_id);
  std::ranges::sort(answered);
  CHECK(answered == std::vector<std::uint64_t>{2, 3, 4, 5});
}

TEST_CASE("a revocation is queued in the name of who asks for it", "[server][revocation]") {
  ServerBench bench;
  const auto admin = bench.context(1001, {kAdminGroup});
  admin->send_from_client(7, proto::RevokeAttestation{});
  REQUIRE(bench.sink.outstanding.size() == 1);
  const ClientCommand& queued = *bench.sink.outstanding.front();
  CHECK(queued.requester().user == kAdministrator);
  CHECK(queued.requester().is_administrator());
  CHECK(queued.context() == ContextId{admin->id()});
  CHECK(queued.request() == RequestId{7});
  CHECK(std::ranges::equal(queued.bytes(), server::revoke_command(Family::Tpm20)));
  CHECK(admin->take().empty());

  bench.sink.answer(tpm_message(0));
  CHECK(admin->take_only<proto::RevokeAttestationReply>()->status == Status::Success);
  const auto entries = bench.audit.of(proto::Event::Revoked);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].fields.uid == 1001U);
  CHECK(entries[0].text.find("attestation was revoked by prog") == 0);
}

TEST_CASE("a revocation counts as what the client has waiting", "[server][revocation]") {
  ServerBench bench;
  const auto admin = bench.context(1001, {kAdminGroup});
  admin->send_from_client(7, proto::RevokeAttestation{});
  CHECK(bench.server.backlog().of(administrators_account(UserId{1001})) ==
        server::revoke_command(Family::Tpm20).size());
  bench.sink.answer(tpm_message(0));
  CHECK(bench.server.backlog().of(administrators_account(UserId{1001})) == 0);
}

TEST_CASE("a TPM that refuses to revoke is an error", "[server][revocation]") {
  ServerBench bench;
  const auto admin = bench.context(0);
  admin->send_from_client(7, proto::RevokeAttestation{});
  bench.sink.answer(tpm_message(tpm::rc::kFailure));
  CHECK(admin->take_only<proto::RevokeAttestationReply>()->status == Status::InternalError);
  admin->send_from_client(8, proto::RevokeAttestation{});
  bench.sink.answer({}, Status::IoError);
  CHECK(admin->take_only<proto::RevokeAttestationReply>()->status == Status::IoError);
  CHECK(bench.audit.of(proto::Event::Revoked).size() == 2);
  CHECK(bench.audit.of(proto::Event::Revoked)[0].text.find("was not revoked") != std::string::npos);
}

TEST_CASE("users may not revoke", "[server][revocation]") {
  ServerBench bench;
  const auto user = bench.context(1000);
  user->send_from_client(7, proto::RevokeAttestation{});
  CHECK(user->take_only<proto::RevokeAttestationReply>()->status == Status::AccessDenied);
  CHECK(bench.sink.outstanding.empty());
  REQUIRE(bench.audit.of(proto::Event::Denied).size() == 1);
  CHECK(bench.audit.of(proto::Event::Denied)[0].fields.uid == 1000U);
}

TEST_CASE("one revocation at a time", "[server][revocation]") {
  ServerBench bench;
  const auto admin = bench.context(0);
  admin->send_from_client(7, proto::RevokeAttestation{});
  admin->send_from_client(8, proto::RevokeAttestation{});
  CHECK(admin->closed());
  CHECK(admin->take_only<proto::Refusal>().has_value());
}

TEST_CASE("each family revokes in its own words", "[server][revocation]") {
  const auto command20 = server::revoke_command(Family::Tpm20);
  const auto header20 = proto::read_tpm_header(command20);
  REQUIRE(header20);
  CHECK(header20->tag == tpm::kTagSessions);
  CHECK(header20->code == tpm::cc::kPcrEvent);
  const auto command12 = server::revoke_command(Family::Tpm12);
  const auto header12 = proto::read_tpm_header(command12);
  REQUIRE(header12);
  CHECK(header12->tag == tpm12::kTagCommand);
  CHECK(header12->code == tpm12::ord::kExtend);
  CHECK(header12->size == 34);
}

TEST_CASE("what became of a revocation", "[server][revocation]") {
  CHECK(server::revocation_status(Status::Success, tpm_message(0)) == Status::Success);
  CHECK(server::revocation_status(Status::Success, tpm_message(tpm::rc::kRetry)) ==
        Status::InternalError);
  CHECK(server::revocation_status(Status::Success, {}) == Status::InternalError);
  CHECK(server::revocation_status(Status::CommandCanceled, {}) == Status::CommandCanceled);
}
