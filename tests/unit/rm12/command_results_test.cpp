#include "daemon/rm12/command_results.h"

#include "tests/unit/rm12/command_bench.h"

using namespace tbs;
using namespace tbs::rm12;
using namespace tbs::rm12::test;

TEST_CASE("what a TPM 1.2 command makes gets a handle of the context", "[rm12][results]") {
  CommandBench bench;
  bench.session(0x50);
  REQUIRE_FALSE(bench.decide(command(ord::kOiap, {})));
  CHECK_FALSE(bench.succeed(success(words({0x99}))));
  CHECK(bench.reply_handle() == kFirstAuth + 1);
  const Resource* const made =
      bench.state.table.find(kContext, Kind::Auth, VirtualHandle{kFirstAuth + 1});
  REQUIRE(made != nullptr);
  CHECK(made->physical == PhysicalHandle{0x99});
}

TEST_CASE("what nobody waits for becomes a stray", "[rm12][results]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(command(ord::kOiap, {})));
  bench.succeed(success(words({0x99})), true);
  CHECK(bench.state.table.all().empty());
  REQUIRE(bench.state.strays.size() == 1);
  CHECK(bench.state.strays.front().handle == PhysicalHandle{0x99});
}

TEST_CASE("a response that should begin with a handle is complete with one", "[rm12][results]") {
  CommandBench bench;
  REQUIRE_FALSE(bench.decide(command(ord::kOiap, {})));
  const auto cut = success({0, 0});
  CHECK_FALSE(bench.results->complete(*tpm12::parse_response(cut)));
  REQUIRE_FALSE(bench.decide(command(ord::kGetRandom, words({8}))));
  CHECK(bench.results->complete(*tpm12::parse_response(cut)));
}

TEST_CASE("a session ends with the command that says so", "[rm12][results]") {
  CommandBench bench;
  bench.key(1);
  bench.session(2);
  const auto sign = command(ord::kSign, words({kFirstKey}), {kFirstAuth});
  REQUIRE_FALSE(bench.decide(sign));
  CHECK_FALSE(bench.succeed(success({}, {true})));
  CHECK(bench.state.table.all().size() == 2);
  REQUIRE_FALSE(bench.decide(sign));
  CHECK_FALSE(bench.succeed(success({}, {false})));
  CHECK(bench.state.table.all().size() == 1);
  CHECK(bench.state.strays.empty());
}

TEST_CASE("where a response does not tell, the TPM is looked at", "[rm12][results]") {
  CommandBench bench;
  bench.key(1);
  bench.session(2);
  REQUIRE_FALSE(bench.decide(command(ord::kSign, words({kFirstKey}), {kFirstAuth})));
  CHECK(bench.succeed(success({})));
  REQUIRE_FALSE(bench.decide(command(ord::kForceClear, {})));
  CHECK(bench.succeed(success({})));
}

TEST_CASE("a session that is bound to a key knows it", "[rm12][results]") {
  CommandBench bench;
  Resource& key = bench.key(7);
  const auto osap = [](std::uint16_t type, std::uint32_t value) {
    proto::Buffer body;
    proto::ByteWriter writer(body);
    writer.be16(type);
    writer.be32(value);
    writer.bytes(proto::Buffer(20));
    return command(ord::kOsap, body);
  };
  const auto made = [&bench](std::uint32_t index) {
    return bench.state.table.find(kContext, Kind::Auth, VirtualHandle{kFirstAuth + index});
  };
  REQUIRE_FALSE(bench.decide(osap(1, kFirstKey)));
  bench.succeed(success(words({0x20})));
  REQUIRE(made(0) != nullptr);
  CHECK(made(0)->key == &key);
  CHECK(made(0)->needs_key);
  CHECK(made(0)->identity == key.identity);
  // Of a counter, whose number is the TPM's.
  REQUIRE_FALSE(bench.decide(osap(0x0A, 5)));
  bench.succeed(success(words({0x21})));
  REQUIRE(made(1) != nullptr);
  CHECK_FALSE(made(1)->needs_key);
  CHECK(made(1)->entity == 5);
}

TEST_CASE("TPM_LoadKey keeps the TPM's handle, and is refused where that is taken",
          "[rm12][results]") {
  CommandBench bench;
  bench.session(2);
  const auto load = command(ord::kLoadKey, words({tpm12::kReservedSrk}), {kFirstAuth});
  REQUIRE_FALSE(bench.decide(load));
  bench.succeed(success(words({0x77}), {true}));
  CHECK(bench.reply_handle() == 0x77);
  // The other has left its place in the TPM meanwhile.
  bench.evict(*bench.state.table.find(kContext, Kind::Key, VirtualHandle{0x77}));
  REQUIRE_FALSE(bench.decide(load));
  bench.succeed(success(words({0x77}), {true}));
  CHECK(bench.reply_code() == proto::service::kDuplicateHandle);
  CHECK(bench.run->reply.size() == tpm12::kHeaderSize);
  CHECK(bench.state.strays.size() == 2);  // the key, and the session of what was refused
}

TEST_CASE("the owner makes a key permanent, and ordinary again", "[rm12][results]") {
  CommandBench bench;
  Resource& key = bench.key(7);
  const auto control = [](std::uint32_t handle, std::uint8_t permanent) {
    proto::Buffer body = words({handle, 0, 1});
    body.push_back(permanent);
    return command(ord::kKeyControlOwner, body);
  };
  REQUIRE_FALSE(bench.decide(control(kFirstKey, 1)));
  bench.succeed(success({}));
  CHECK(key.permanent);
  CHECK(bench.state.table.permanent_keys == std::vector{PhysicalHandle{7}});
  // Everybody may use it by the TPM's handle.
  CHECK(is_shared_key(bench.state, VirtualHandle{7}));
  REQUIRE_FALSE(bench.decide(control(7, 0), kStranger));
  bench.succeed(success({}));
  CHECK_FALSE(key.permanent);
  CHECK(bench.state.table.permanent_keys.empty());
}

TEST_CASE("a permanent key that was nobody's belongs to who releases it", "[rm12][results]") {
  CommandBench bench;
  bench.state.table.permanent_keys = {PhysicalHandle{7}};
  proto::Buffer body = words({7, 0, 1});
  body.push_back(0);
  REQUIRE_FALSE(bench.decide(command(ord::kKeyControlOwner, body)));
  bench.succeed(success({}));
  const Resource* const key = bench.state.table.find(kContext, Kind::Key, VirtualHandle{7});
  REQUIRE(key != nullptr);
  CHECK(key->physical == PhysicalHandle{7});
}

TEST_CASE("the session of DAA keeps the TPM's handle", "[rm12][results]") {
  CommandBench bench;
  proto::Buffer body = words({0});
  body.push_back(0);
  REQUIRE_FALSE(bench.decide(command(ord::kDaaJoin, body)));
  bench.succeed(success(sized(words({0x31}))));
  const Resource* const session = bench.state.table.find(kContext, Kind::Daa, VirtualHandle{0x31});
  REQUIRE(session != nullptr);
  CHECK(session->physical == PhysicalHandle{0x31});
  CHECK_FALSE(session->evictable());
}

TEST_CASE("the wrapped command's results count too", "[rm12][results]") {
  CommandBench bench;
  bench.session(2);
  bench.state.table.add(kContext, Kind::Transport, PhysicalHandle{3});
  const auto wrapped = [](const proto::Buffer& inner) {
    return command(ord::kExecuteTransport, sized(inner), {kFirstTransport});
  };
  const auto outer = [](const proto::Buffer& inner) {
    proto::Buffer body(tpm12::kWrappedResponseOffset - tpm12::kHeaderSize - 4);
    proto::ByteWriter(body).bytes(sized(inner));
    return success(body, {true});
  };
  REQUIRE_FALSE(bench.decide(wrapped(command(ord::kOiap, {}))));
  CHECK_FALSE(bench.succeed(outer(success(words({0x99})))));
  CHECK(bench.word(tpm12::kWrappedResponseOffset + tpm12::kHeaderSize) == kFirstAuth + 1);
  // It has failed, and may have ended its session.
  REQUIRE_FALSE(
      bench.decide(wrapped(command(ord::kSign, words({tpm12::kReservedSrk}), {kFirstAuth}))));
  CHECK(bench.succeed(outer(tpm12::bare_response(1))));
  REQUIRE_FALSE(bench.decide(wrapped(command(ord::kGetRandom, words({8})))));
  CHECK_FALSE(bench.succeed(outer(tpm12::bare_response(1))));
  CHECK(bench.succeed(success({}, {true})));
}
