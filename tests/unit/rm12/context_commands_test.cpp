#include "daemon/rm12/context_commands.h"

#include "tests/unit/rm12/command_bench.h"

using namespace tbs;
using namespace tbs::rm12;
using namespace tbs::rm12::test;

namespace {

proto::Buffer save_context(std::uint32_t handle, Kind kind) {
  proto::Buffer body = words({handle, static_cast<std::uint32_t>(kind)});
  body.resize(body.size() + 16);
  return command(ord::kSaveContext, body);
}

proto::Buffer load_context(std::uint32_t entity, bool keep, const proto::Buffer& saved) {
  proto::Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(entity);
  writer.u8(keep ? 1 : 0);
  writer.bytes(sized(saved));
  return command(ord::kLoadContext, body);
}

}  // namespace

TEST_CASE("a client's own save takes a session out of the TPM", "[rm12][contexts]") {
  CommandBench bench;
  Resource& session = bench.session(0x20);
  const auto saved = blob(Kind::Auth, 0x20, 9);
  REQUIRE_FALSE(bench.decide(save_context(kFirstAuth, Kind::Auth)));
  CHECK(bench.run->plan.placements.all().front().resource == &session);
  bench.succeed(success(sized(saved)));
  CHECK(session.saved_by_client());
  CHECK_FALSE(session.loaded);
  CHECK(session.count == 9);
  CHECK(bench.state.newest_count == 9);
  // Saved, it cannot be used by its handle.
  CHECK(bench.decide(save_context(kFirstAuth, Kind::Auth)));
  CHECK(bench.reply_code() == rc::kInvalidResource);
}

TEST_CASE("what is saved for nobody is given up", "[rm12][contexts]") {
  CommandBench bench;
  bench.session(0x20);
  REQUIRE_FALSE(bench.decide(save_context(kFirstAuth, Kind::Auth)));
  bench.succeed(success(sized(blob(Kind::Auth, 0x20, 9))), true);
  CHECK(bench.state.table.all().empty());
  REQUIRE(bench.state.strays.size() == 1);
  CHECK(bench.state.strays.front().saved);
}

TEST_CASE("a save that returns no blob puts the tables in doubt", "[rm12][contexts]") {
  CommandBench bench;
  bench.session(0x20);
  REQUIRE_FALSE(bench.decide(save_context(kFirstAuth, Kind::Auth)));
  bench.succeed(success({}));
  CHECK(bench.state.check_due);
}

TEST_CASE("a saved session is its user's alone, by the very blob", "[rm12][contexts]") {
  CommandBench bench;
  Resource& session = bench.session(0x20);
  bench.save(session, 9);
  const auto saved = session.client_blob;
  CHECK(bench.decide(load_context(0, false, saved), kStranger));
  CHECK(bench.reply_code() == rc::kBadContext);
  auto changed = saved;
  changed.back() ^= 1;
  CHECK(bench.decide(load_context(0, false, changed)));
  CHECK(bench.reply_code() == rc::kBadContext);
  REQUIRE_FALSE(bench.decide(load_context(0, false, saved), kOther));
  CHECK(bench.run->plan.sessions.all().front() == &session);
  REQUIRE(bench.contexts->claim());
  CHECK(session.owner == kOther);
  CHECK_FALSE(session.saved_by_client());
  CHECK(bench.reply_handle() == number_of(session.handle));
}

TEST_CASE("a session that is loaded again is not one more", "[rm12][contexts]") {
  CommandBench bench;
  bench.state.options.limits.sessions_per_context = 1;
  Resource& session = bench.session(0x20);
  bench.save(session, 9);
  CHECK_FALSE(bench.decide(load_context(0, true, session.client_blob)));
  CHECK(bench.contexts->wanted() == session.handle);
  bench.session(0x21, nullptr, kOther);
  CHECK(bench.decide(load_context(0, false, session.client_blob), kOther));
  CHECK(bench.reply_code() == rc::kResources);
}

TEST_CASE("a session is loaded beside a key of its own pair", "[rm12][contexts]") {
  CommandBench bench;
  Resource& key = bench.key(5);
  bench.key(6);
  Resource& session = bench.session(0x20, &key);
  bench.save(session, 9);
  session.key = nullptr;
  CHECK(bench.decide(load_context(kFirstKey + 2, false, session.client_blob)));
  CHECK(bench.reply_code() == rc::kBadHandle);
  CHECK(bench.decide(load_context(kFirstKey + 1, false, session.client_blob)));
  CHECK(bench.reply_code() == rc::kResourceMissing);
  CHECK_FALSE(bench.decide(load_context(kFirstKey, false, session.client_blob)));
  CHECK(session.key == &key);
  CHECK(bench.run->plan.keys.all().front() == &key);
}

TEST_CASE("any client loads a saved key, under its own handle if it asks", "[rm12][contexts]") {
  CommandBench bench;
  Resource& key = bench.key(5);
  const auto saved = blob(Kind::Key, 5);
  REQUIRE_FALSE(bench.decide(save_context(kFirstKey, Kind::Key)));
  bench.succeed(success(sized(saved)));
  CHECK(key.loaded);
  // The handle is still the key's.
  CHECK(bench.decide(load_context(0, true, saved)));
  CHECK(bench.reply_code() == rc::kBadHandle);
  REQUIRE_FALSE(bench.decide(load_context(0, false, saved), kStranger));
  CHECK(bench.run->plan.creates == Kind::Key);
  bench.succeed(success(words({0x6})));
  const Resource* const copy =
      bench.state.table.find(kStranger, Kind::Key, VirtualHandle{kFirstKey});
  REQUIRE(copy != nullptr);
  CHECK(copy->identity == key.identity);
  CHECK(copy->saved.current());
  bench.state.table.erase(key);
  REQUIRE_FALSE(bench.decide(load_context(0, true, saved)));
  CHECK(bench.contexts->wanted() == VirtualHandle{kFirstKey});
}

TEST_CASE("the older commands save and load too", "[rm12][contexts]") {
  CommandBench bench;
  bench.key(5);
  REQUIRE_FALSE(bench.decide(command(ord::kSaveKeyContext, words({kFirstKey}))));
  bench.succeed(success(sized({1, 2, 3})));
  // The TPM has unloaded it by that.
  CHECK(bench.state.table.all().empty());
  CHECK(bench.state.strays.empty());
  Resource& session = bench.session(0x20);
  REQUIRE_FALSE(bench.decide(command(ord::kSaveAuthContext, words({kFirstAuth}))));
  bench.succeed(success(sized({4, 5})));
  CHECK(session.old_style);
  CHECK(bench.decide(load_context(0, false, session.client_blob)));
  CHECK(bench.decide(command(ord::kLoadAuthContext, sized({4, 6}))));
  CHECK(bench.reply_code() == rc::kBadContext);
  REQUIRE_FALSE(bench.decide(command(ord::kLoadAuthContext, sized({4, 5}))));
  bench.succeed(success(words({0x33})));
  CHECK(bench.reply_handle() == kFirstAuth);
  CHECK(session.physical == PhysicalHandle{0x33});
  CHECK_FALSE(session.old_style);
  CHECK_FALSE(session.saved_by_client());
}

TEST_CASE("context commands that are malformed cost nothing", "[rm12][contexts]") {
  CommandBench bench;
  Resource& session = bench.session(0x20);
  const std::uint32_t ordinal =
      GENERATE(ord::kSaveContext, ord::kLoadContext, ord::kSaveAuthContext, ord::kLoadAuthContext,
               ord::kFlushSpecific, ord::kTerminateHandle);
  CHECK(bench.decide(command(ordinal, {0})));
  CHECK(bench.reply_code() == rc::kBadParamSize);
  CHECK(session.loaded);
  CHECK(bench.state.table.all().size() == 1);
}
