#include "daemon/rm/command_decision.h"

#include "tests/unit/rm/command_bench.h"

using namespace tbs;
using namespace tbs::rm;
using namespace tbs::rm::test;

namespace {

constexpr std::uint32_t refused(std::uint32_t code) {
  return tpm::by_resource_manager(code);
}

}  // namespace

TEST_CASE("what the context does not own is refused without the TPM", "[rm][decision]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst, kOther);
  CHECK(bench.decide(tpm::cc::kReadPublic, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.reply_code() == refused(tpm::at_handle(tpm::rc::kHandle, 1)));
  CHECK(bench.state.statistics.refused == 1);
  CHECK_FALSE(
      bench.decide(tpm::cc::kReadPublic, CommandBench::words({tpm::kTransientFirst}), kOther));
}

TEST_CASE("an object that was lost is told once and then unknown", "[rm][decision]") {
  CommandBench bench;
  bench.state.objects.set_evicted(bench.object(tpm::kTransientFirst + 3));
  CHECK(bench.decide(tpm::cc::kReadPublic, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.notes.lost_handles == std::vector<std::uint32_t>{tpm::kTransientFirst});
  CHECK(bench.decide(tpm::cc::kReadPublic, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.notes.lost_handles.size() == 1);
}

TEST_CASE("commands that are malformed, unknown or too long do not reach the TPM",
          "[rm][decision]") {
  CommandBench bench;
  CHECK(bench.decide(0x1FF, {}));
  CHECK(bench.reply_code() == refused(tpm::rc::kCommandCode));
  CHECK(bench.decide(tpm::cc::kReadPublic, {0x80, 0}));
  CHECK(bench.reply_code() != 0);
  CHECK(bench.decide(tpm::cc::kGetCapability, proto::Buffer(bench.state.facts.max_command_size)));
  CHECK(bench.reply_code() == refused(tpm::rc::kCommandSize));
}

TEST_CASE("a public part is answered from memory once it was read", "[rm][decision]") {
  CommandBench bench;
  const auto command = CommandBench::words({tpm::kTransientFirst});
  bench.object(tpm::kTransientFirst + 1);
  REQUIRE_FALSE(bench.decide(tpm::cc::kReadPublic, command));
  bench.succeed({1, 2, 3});
  REQUIRE(bench.decide(tpm::cc::kReadPublic, command));
  CHECK(bench.reply_code() == 0);
  CHECK(bench.run->reply.size() == tpm::kHeaderSize + 3);
  CHECK(bench.state.statistics.from_memory == 1);
}

TEST_CASE("the limits of a context and of a user hold", "[rm][decision]") {
  CommandBench bench;
  bench.state.options.limits.objects_per_context = 2;
  bench.state.options.limits.objects_per_user = 3;
  bench.object(tpm::kTransientFirst);
  CHECK_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}));
  bench.object(tpm::kTransientFirst + 1);
  CHECK(bench.decide(tpm::cc::kHashSequenceStart, {}));
  CHECK(bench.reply_code() == refused(tpm::rc::kObjectMemory));
  // The user's other context has one left, a third user has all of its own.
  CHECK_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}, kOther));
  bench.object(tpm::kTransientFirst + 2, kOther);
  CHECK(bench.decide(tpm::cc::kHashSequenceStart, {}, kOther));
  CHECK_FALSE(bench.decide(tpm::cc::kHashSequenceStart, {}, kStranger));
}

TEST_CASE("a new session is worth more than an orphan of its user", "[rm][decision]") {
  CommandBench bench;
  bench.state.options.limits.sessions_per_user = 2;
  const auto command = CommandBench::words({tpm::kRhNull, tpm::kRhNull});
  bench.session(TPM2_HMAC_SESSION_FIRST);
  Session& other = bench.session(TPM2_HMAC_SESSION_FIRST + 1, kOther);
  CHECK(bench.decide(tpm::cc::kStartAuthSession, command));
  CHECK(bench.reply_code() == refused(tpm::rc::kSessionMemory));
  other.owner.reset();
  REQUIRE_FALSE(bench.decide(tpm::cc::kStartAuthSession, command));
  const auto step = bench.repair->next();
  REQUIRE(step);
  CHECK(step->verb == Verb::FlushSession);
  CHECK(step->session == &other);
  CHECK(bench.notes.dropped_sessions.size() == 1);
}

TEST_CASE("what a command names counts as used now", "[rm][decision]") {
  CommandBench bench;
  const Object& first = bench.object(tpm::kTransientFirst);
  const Object& second = bench.object(tpm::kTransientFirst + 1);
  REQUIRE(first.last_used < second.last_used);
  CHECK_FALSE(bench.decide(tpm::cc::kSequenceUpdate, CommandBench::words({tpm::kTransientFirst})));
  CHECK(first.last_used > second.last_used);
}
