#include "daemon/rm/context_commands.h"

#include "tests/unit/rm/command_bench.h"

using namespace tbs;
using namespace tbs::rm;
using namespace tbs::rm::test;

namespace {

constexpr std::uint32_t kUnknown = tpm::by_resource_manager(tpm::at_parameter(tpm::rc::kHandle, 1));

// The handle that the TPM would be told.
std::uint32_t flushed(const CommandBench& bench) {
  proto::Buffer command(bench.run->command.begin(), bench.run->command.end());
  bench.contexts->put_flushed(command);
  return proto::ByteReader(proto::Bytes(command).subspan(tpm::kHeaderSize)).be32();
}

}  // namespace

TEST_CASE("FlushContext of a loaded object goes to the TPM with its own handle", "[rm][contexts]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst + 7);
  REQUIRE_FALSE(bench.decide(tpm::cc::kFlushContext, CommandBench::words({tpm::kTransientFirst})));
  CHECK(flushed(bench) == tpm::kTransientFirst + 7);
  bench.succeed({});
  CHECK(bench.state.objects.count(kContext) == 0);
}

TEST_CASE("FlushContext of what is not loaded needs no TPM", "[rm][contexts]") {
  CommandBench bench;
  Object& object = bench.object(tpm::kTransientFirst + 7);
  object.saved.store({1});
  bench.state.objects.set_evicted(object);
  REQUIRE(bench.decide(tpm::cc::kFlushContext, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.reply_code() == 0);
  CHECK(bench.decide(tpm::cc::kFlushContext, CommandBench::words({tpm::kTransientFirst})));
  CHECK(bench.reply_code() == kUnknown);
}

TEST_CASE("FlushContext of a session is its owner's, and of an orphan its user's",
          "[rm][contexts]") {
  CommandBench bench;
  Session& session = bench.session(TPM2_POLICY_SESSION_FIRST + 2);
  const auto command = CommandBench::words({TPM2_HMAC_SESSION_FIRST + 2});
  CHECK(bench.decide(tpm::cc::kFlushContext, command, kOther));
  CHECK(bench.reply_code() == kUnknown);
  session.owner.reset();
  CHECK(bench.decide(tpm::cc::kFlushContext, command, kStranger));
  REQUIRE_FALSE(bench.decide(tpm::cc::kFlushContext, command, kOther));
  // Named as saved sessions are listed; the TPM gets its own handle.
  CHECK(flushed(bench) == TPM2_POLICY_SESSION_FIRST + 2);
}

TEST_CASE("FlushContext of what went with a lost connection is done already", "[rm][contexts]") {
  CommandBench bench;
  bench.session(TPM2_POLICY_SESSION_FIRST + 2);  // of another context
  bench.state.objects.skip_handles(kOther, 2);
  for (const std::uint32_t handle : {0x80000000U, 0x80010003U, 0x02000000U, 0x03000002U}) {
    INFO(handle);
    CHECK(bench.decide(tpm::cc::kFlushContext, CommandBench::words({handle}), kOther));
    CHECK(bench.reply_code() == 0);
  }
  CHECK(bench.state.sessions.total() == 1);
  // What it never had it does not have.
  CHECK(bench.decide(tpm::cc::kFlushContext, CommandBench::words({0x80020000}), kOther));
  CHECK(bench.reply_code() == kUnknown);
}

TEST_CASE("FlushContext takes one handle and nothing else", "[rm][contexts]") {
  CommandBench bench;
  CHECK(bench.decide(tpm::cc::kFlushContext, {0x80}));
  CHECK(bench.reply_code() != 0);
  CHECK(bench.decide(tpm::cc::kFlushContext, CommandBench::words({tpm::kTransientFirst, 0})));
  CHECK(bench.reply_code() == tpm::by_resource_manager(tpm::rc::kSize));
}

TEST_CASE("ContextSave of a key is answered from memory the second time", "[rm][contexts]") {
  CommandBench bench;
  Object& key = bench.object(tpm::kTransientFirst + 1);
  const auto command = CommandBench::words({tpm::kTransientFirst});
  REQUIRE_FALSE(bench.decide(tpm::cc::kContextSave, command));
  const auto blob = CommandBench::blob(tpm::kSavedObject, tpm::kRhOwner);
  bench.succeed(blob);
  CHECK(key.saved.context() == blob);
  CHECK(key.hierarchy == tpm::kRhOwner);
  REQUIRE(bench.decide(tpm::cc::kContextSave, command));
  CHECK(bench.run->reply.size() == tpm::kHeaderSize + blob.size());
}

TEST_CASE("ContextSave of a sequence is answered from memory only in its newest state",
          "[rm][contexts]") {
  CommandBench bench;
  Object& sequence = bench.object(tpm::kTransientFirst + 1, kContext, true);
  const auto command = CommandBench::words({tpm::kTransientFirst});
  sequence.saved.store(CommandBench::blob(tpm::kSavedSequence));
  CHECK(bench.decide(tpm::cc::kContextSave, command));
  sequence.saved.note_use();
  CHECK_FALSE(bench.decide(tpm::cc::kContextSave, command));
}

TEST_CASE("ContextSave of a session gives it to its client", "[rm][contexts]") {
  CommandBench bench;
  Session& session = bench.session(TPM2_HMAC_SESSION_FIRST + 1);
  const auto blob = CommandBench::blob(TPM2_HMAC_SESSION_FIRST + 1);
  const bool detached = GENERATE(false, true);
  REQUIRE_FALSE(
      bench.decide(tpm::cc::kContextSave, CommandBench::words({TPM2_HMAC_SESSION_FIRST + 1})));
  bench.succeed(blob, detached);
  CHECK_FALSE(session.loaded);
  CHECK(session.saved.context() == blob);
  // With nobody there to keep the blob, the session stays usable by its handle.
  CHECK(session.saved_by_client() != detached);
}

TEST_CASE("a ContextSave that answers nonsense puts the tables in doubt", "[rm][contexts]") {
  CommandBench bench;
  bench.object(tpm::kTransientFirst + 1);
  REQUIRE_FALSE(bench.decide(tpm::cc::kContextSave, CommandBench::words({tpm::kTransientFirst})));
  bench.succeed({1, 2});
  CHECK(bench.state.check_due);
}

TEST_CASE("a saved session is loaded by its user with the blob of the client", "[rm][contexts]") {
  CommandBench bench;
  const auto blob = CommandBench::blob(TPM2_HMAC_SESSION_FIRST + 1);
  Session& session = bench.saved_session(TPM2_HMAC_SESSION_FIRST + 1, blob);
  CHECK(bench.decide(tpm::cc::kContextLoad, blob, kStranger));
  CHECK(bench.reply_code() == kUnknown);
  auto changed = blob;
  changed.back() ^= 1;
  CHECK(bench.decide(tpm::cc::kContextLoad, changed));
  CHECK(bench.reply_code() == kUnknown);
  REQUIRE_FALSE(bench.decide(tpm::cc::kContextLoad, blob, kOther));
  CHECK(bench.run->plan.sessions.all().front() == &session);
  bench.state.sessions.set_loaded(session);
  REQUIRE(bench.contexts->claim_loaded_session());
  CHECK(session.owner == kOther);
  CHECK_FALSE(session.saved_by_client());
  CHECK(bench.reply_handle() == TPM2_HMAC_SESSION_FIRST + 1);
  // And once only.
  CHECK(bench.decide(tpm::cc::kContextLoad, blob));
}

TEST_CASE("padding behind a context is taken off, a session in doubt is not loaded",
          "[rm][contexts]") {
  CommandBench bench;
  auto padded = CommandBench::blob(tpm::kSavedObject);
  padded.insert(padded.end(), 7, 0);
  REQUIRE_FALSE(bench.decide(tpm::cc::kContextLoad, padded));
  CHECK(bench.run->command.size() == tpm::kHeaderSize + padded.size() - 7);
  bench.state.stray_sessions.push_back(exec::PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 4});
  CHECK(bench.decide(tpm::cc::kContextLoad, CommandBench::blob(TPM2_HMAC_SESSION_FIRST + 4)));
  CHECK(bench.decide(tpm::cc::kContextLoad, {1, 2, 3}));
  CHECK(bench.reply_code() != 0);
}
