// Contexts that have the TPM to themselves: as it is, alone, and nothing is left of them.

#include "client/include/tbs/tbsx.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

constexpr std::uint32_t kObjectMemory = TPM2_RC_OBJECT_MEMORY;
constexpr UINT32 kRaw = 5;      // requestRaw, includeTpm20
constexpr UINT32 kManaged = 4;  // includeTpm20

TBS_RESULT create(const TestBench& bench, UINT32 flags, TBS_HCONTEXT& context) {
  const TBS_CONTEXT_PARAMS2 params{.version = TBS_CONTEXT_VERSION_TWO, .asUINT32 = flags};
  return Tbsx_Context_Create(reinterpret_cast<PCTBS_CONTEXT_PARAMS>(&params),
                             bench.socket().c_str(), &context);
}

tpm::Buffer run(TBS_HCONTEXT context, const tpm::Buffer& command) {
  tpm::Buffer response(4096);
  UINT32 size = 4096;
  REQUIRE(Tbsip_Submit_Command(context, 0, TBS_COMMAND_PRIORITY_NORMAL, command.data(),
                               static_cast<UINT32>(command.size()), response.data(),
                               &size) == TBS_SUCCESS);
  response.resize(size);
  return response;
}

// How many keys fit before the TPM says that it is full; 20 when it never does.
int keys_until_full(TBS_HCONTEXT context) {
  for (int made = 0; made < 20; ++made) {
    const auto code = tpm::code(run(context, tpm::create_primary_ecc()));
    if (code == kObjectMemory) return made;
    REQUIRE(code == tpm::kSuccess);
  }
  return 20;
}

DaemonOptions allowed() {
  return {.arguments = {"--raw-contexts=yes"}};
}

}  // namespace

TEST_CASE("a raw context has the TPM's own slots, and what it leaves is flushed") {
  TestBench bench(allowed());
  TBS_HCONTEXT raw = nullptr;
  REQUIRE(create(bench, kRaw, raw) == TBS_SUCCESS);
  CHECK(keys_until_full(raw) < 20);
  CHECK_FALSE(tpm::handles(run(raw, tpm::get_handles(tpm::kTransientFirst))).empty());
  REQUIRE(Tbsip_Context_Close(raw) == TBS_SUCCESS);

  TBS_HCONTEXT managed = nullptr;
  REQUIRE(eventually([&] { return create(bench, kManaged, managed) == TBS_SUCCESS; }));
  CHECK(tpm::handles(run(managed, tpm::get_handles(tpm::kTransientFirst))).empty());
  CHECK(keys_until_full(managed) == 20);
  REQUIRE(Tbsip_Context_Close(managed) == TBS_SUCCESS);

  REQUIRE(eventually([&] { return create(bench, kRaw, raw) == TBS_SUCCESS; }));
  CHECK(tpm::handles(run(raw, tpm::get_handles(tpm::kTransientFirst))).empty());
  REQUIRE(Tbsip_Context_Close(raw) == TBS_SUCCESS);
  CHECK(bench.daemon().log().contains("has the TPM to itself"));
}

TEST_CASE("a raw context is alone") {
  TestBench bench(allowed());
  TBS_HCONTEXT first = nullptr;
  TBS_HCONTEXT second = nullptr;
  REQUIRE(create(bench, kManaged, first) == TBS_SUCCESS);
  CHECK(create(bench, kRaw, second) == TBS_E_TOO_MANY_TBS_CONTEXTS);
  CHECK(create(bench, kManaged, second) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(first) == TBS_SUCCESS);
  REQUIRE(Tbsip_Context_Close(second) == TBS_SUCCESS);
  REQUIRE(eventually([&] { return create(bench, kRaw, first) == TBS_SUCCESS; }));
  CHECK(create(bench, kRaw, second) == TBS_E_TOO_MANY_TBS_CONTEXTS);
  CHECK(create(bench, kManaged, second) == TBS_E_TOO_MANY_TBS_CONTEXTS);
  // Looking is allowed.
  CHECK(bench.contexts().size() == 1);
  REQUIRE(Tbsip_Context_Close(first) == TBS_SUCCESS);
  REQUIRE(eventually([&] { return create(bench, kManaged, second) == TBS_SUCCESS; }));
  REQUIRE(Tbsip_Context_Close(second) == TBS_SUCCESS);
}

TEST_CASE("a raw context that dies with a command on the TPM makes room") {
  TestBench bench(allowed());
  {
    RawClient raw(bench.socket());
    REQUIRE(raw.hello(tbs::proto::Role::Context, kRaw).status == tbs::proto::Status::Success);
    bench.freeze_tpm();
    raw.submit(1, tpm::create_primary_ecc());
    REQUIRE(bench.wait_for_load(raw, 0, 1));
  }
  RawClient managed = RawClient(bench.socket());
  REQUIRE(eventually([&] {
    managed = RawClient(bench.socket());
    return managed.hello(tbs::proto::Role::Context).status == tbs::proto::Status::Success;
  }));
  bench.thaw_tpm();
  CHECK(tpm::handles(managed.response(tpm::get_handles(tpm::kTransientFirst))).empty());
}

TEST_CASE("the flag is ignored where it is not allowed, and from users") {
  {
    TestBench bench;
    TBS_HCONTEXT first = nullptr;
    TBS_HCONTEXT second = nullptr;
    REQUIRE(create(bench, kRaw, first) == TBS_SUCCESS);
    REQUIRE(create(bench, kRaw, second) == TBS_SUCCESS);
    CHECK(keys_until_full(first) == 20);
    REQUIRE(Tbsip_Context_Close(first) == TBS_SUCCESS);
    REQUIRE(Tbsip_Context_Close(second) == TBS_SUCCESS);
  }
  if (!can_become_nobody()) return;
  TestBench bench(allowed());
  CHECK(as_nobody([&] {
          TBS_HCONTEXT first = nullptr;
          TBS_HCONTEXT second = nullptr;
          if (create(bench, kRaw, first) != TBS_SUCCESS) return 1;
          return create(bench, kRaw, second) == TBS_SUCCESS ? 0 : 2;
        }) == 0);
}
