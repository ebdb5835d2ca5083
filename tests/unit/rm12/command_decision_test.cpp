#include "daemon/rm12/command_decision.h"

#include "tests/unit/rm12/command_bench.h"

using namespace tbs;
using namespace tbs::rm12;
using namespace tbs::rm12::test;

TEST_CASE("what the context does not own is refused without the TPM 1.2", "[rm12][decision]") {
  CommandBench bench;
  bench.key(1, kOther);
  CHECK(bench.decide(command(ord::kSign, words({kFirstKey}))));
  CHECK(bench.reply_code() == rc::kInvalidKeyHandle);
  CHECK(bench.state.statistics.refused == 1);
  CHECK_FALSE(bench.decide(command(ord::kSign, words({kFirstKey})), kOther));
}

TEST_CASE("a key that is lost is given up with its sessions, and told once", "[rm12][decision]") {
  CommandBench bench;
  Resource& key = bench.key(1);
  bench.session(2, &key);
  bench.state.table.set_evicted(key);
  CHECK(bench.decide(command(ord::kTakeOwnership, {}, {kFirstAuth})));
  CHECK(bench.reply_code() == rc::kInvalidAuthHandle);
  CHECK(bench.state.table.all().empty());
  CHECK(bench.notes.lost_handles == std::vector<std::uint32_t>{kFirstKey});
  CHECK(bench.decide(command(ord::kTakeOwnership, {}, {kFirstAuth})));
  CHECK(bench.notes.lost_handles.size() == 1);
  // The session was still in the TPM.
  CHECK(bench.state.strays.size() == 1);
}

TEST_CASE("a refusal ends the sessions of a command, malformed bytes do not", "[rm12][decision]") {
  CommandBench bench;
  bench.session(1);
  CHECK(bench.decide(command(ord::kGetRandom, {}, {kFirstAuth})));
  CHECK(bench.reply_code() == rc::kBadTag);
  CHECK(bench.decide(command(ord::kReset, {1})));
  CHECK(bench.reply_code() == rc::kBadParamSize);
  CHECK(bench.state.table.all().size() == 1);
  CHECK(bench.decide(command(ord::kSign, words({kFirstKey}), {kFirstAuth})));
  CHECK(bench.reply_code() == rc::kInvalidKeyHandle);
  CHECK(bench.state.table.all().empty());
}

TEST_CASE("what cannot be translated within a transport session is refused", "[rm12][decision]") {
  CommandBench bench;
  Resource& key = bench.key(1);
  bench.session(2);
  bench.state.table.add(kContext, Kind::Transport, PhysicalHandle{3});
  const auto wrapped = [](const proto::Buffer& inner) {
    return command(ord::kExecuteTransport, sized(inner), {kFirstTransport});
  };
  REQUIRE_FALSE(bench.decide(wrapped(command(ord::kSign, words({kFirstKey}), {kFirstAuth}))));
  CHECK(bench.run->plan.keys.all().front() == &key);
  CHECK(bench.run->plan.all.all().size() == 3);
  CHECK(bench.run->authorized());
  CHECK(bench.decide(wrapped(command(ord::kFlushSpecific, words({kFirstKey, 1})))));
  CHECK(bench.reply_code() == proto::service::kEmbeddedCommandUnsupported);
}

TEST_CASE("TPM_Reset ends the context's own sessions", "[rm12][decision]") {
  CommandBench bench;
  bench.session(1);
  bench.session(2);
  const Resource& other = bench.session(3, nullptr, kOther);
  CHECK(bench.decide(command(ord::kReset, {})));
  CHECK(bench.reply_code() == rc::kSuccess);
  REQUIRE(bench.state.table.all().size() == 1);
  CHECK(bench.state.table.all().front() == &other);
  CHECK(bench.state.strays.size() == 2);
}

TEST_CASE("a context and a user may have so many keys and sessions", "[rm12][decision]") {
  CommandBench bench;
  bench.state.options.limits.sessions_per_context = 1;
  bench.state.options.limits.sessions_per_user = 2;
  const auto oiap = command(ord::kOiap, {});
  CHECK_FALSE(bench.decide(oiap));
  CHECK(bench.run->plan.creates == Kind::Auth);
  bench.session(1);
  CHECK(bench.decide(oiap));
  CHECK(bench.reply_code() == rc::kResources);
  CHECK_FALSE(bench.decide(oiap, kOther));
  bench.session(2, nullptr, kOther);
  CHECK(bench.decide(oiap, kOther));
  CHECK_FALSE(bench.decide(oiap, kStranger));
}

TEST_CASE("a flush is answered at once, and done later", "[rm12][decision]") {
  CommandBench bench;
  bench.key(7);
  bench.session(8);
  bench.state.table.permanent_keys = {PhysicalHandle{77}};
  CHECK(bench.decide(command(ord::kFlushSpecific, words({77, 1}))));
  CHECK(bench.reply_code() == rc::kKeyOwnerControl);
  CHECK(bench.decide(command(ord::kFlushSpecific, words({7, 1}))));
  CHECK(bench.reply_code() == rc::kBadParameter);
  CHECK(bench.decide(command(ord::kFlushSpecific, words({kFirstKey, 3}))));
  CHECK(bench.reply_code() == rc::kInvalidResource);
  CHECK(bench.decide(command(ord::kEvictKey, words({kFirstKey}))));
  CHECK(bench.reply_code() == rc::kSuccess);
  CHECK(bench.decide(command(ord::kTerminateHandle, words({kFirstAuth}))));
  CHECK(bench.reply_code() == rc::kSuccess);
  CHECK(bench.decide(command(ord::kTerminateHandle, words({kFirstAuth}))));
  CHECK(bench.reply_code() == rc::kInvalidAuthHandle);
  REQUIRE(bench.state.strays.size() == 2);
  CHECK(bench.state.strays.front().handle == PhysicalHandle{7});
}

TEST_CASE("a saved session is flushed by the entry in the client's blob", "[rm12][decision]") {
  CommandBench bench;
  bench.save(bench.session(8), 40);
  CHECK(bench.decide(command(ord::kFlushSpecific, words({41, tpm12::kResourceContext}))));
  CHECK(bench.reply_code() == rc::kBadParameter);
  CHECK(bench.decide(command(ord::kFlushSpecific, words({40, tpm12::kResourceContext}))));
  CHECK(bench.reply_code() == rc::kSuccess);
  REQUIRE(bench.state.strays.size() == 1);
  CHECK(bench.state.strays.front().count == 40);
}

TEST_CASE("what a TPM 1.2 command names counts as used now", "[rm12][decision]") {
  CommandBench bench;
  const Resource& first = bench.key(1);
  const Resource& second = bench.key(2);
  REQUIRE(first.last_used < second.last_used);
  CHECK_FALSE(bench.decide(command(ord::kSign, words({kFirstKey}))));
  CHECK(first.last_used > second.last_used);
}
