#include "daemon/exec/raw_context_router.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/unit/exec/recording_engine.h"

using namespace tbs;
using exec::RawContextRouter;
using exec::test::maker_of;
using exec::test::RecordingEngine;

namespace {

constexpr ContextId kRaw{1};
constexpr ContextId kManaged{2};
constexpr Principal kUser = principal_of(UserId{1000});

struct Bench {
  RecordingEngine managed{'m'};
  RecordingEngine raw{'r'};
  RawContextRouter router{managed, raw};
};

SharedCommand command_of(ContextId context) {
  return test::client_command({.context = context});
}

}  // namespace

TEST_CASE("without a raw context everything goes to the engine behind", "[exec][raw]") {
  Bench bench;
  bench.router.open_context(kManaged, kUser);
  CHECK(maker_of(bench.router.execute(command_of(kManaged))) == 'm');
  CHECK(bench.router.loads_needed(*command_of(kManaged)) == RecordingEngine::kLoads);
  CHECK(bench.router.make_sticky(kManaged, tpm::kTransientFirst, true) == proto::Status::Success);
  CHECK(bench.router.next_maintenance().has_value());
  CHECK(maker_of(bench.router.housekeeping()) == 'm');
  CHECK(maker_of(bench.router.idle_housekeeping()) == 'm');
  CHECK(maker_of(bench.router.evict_all()) == 'm');
  CHECK(maker_of(bench.router.bring_up()) == 'm');
  CHECK(maker_of(bench.router.shutdown(true)) == 'm');
  bench.router.device_lost();
  bench.router.close_context(kManaged);
  CHECK(bench.managed.calls ==
        "open execute sticky housekeeping idle evict-all bring-up shutdown lost close ");
  CHECK(bench.raw.calls.empty());
}

TEST_CASE("a raw context is the other engine's, and the TPM is brought up after it",
          "[exec][raw]") {
  Bench bench;
  bench.router.claim(kRaw);
  bench.router.open_context(kRaw, kUser);
  bench.router.skip_handles(kRaw, 1);
  CHECK(maker_of(bench.router.execute(command_of(kRaw))) == 'r');
  CHECK(bench.router.loads_needed(*command_of(kRaw)) == 0);
  CHECK(bench.router.make_sticky(kRaw, tpm::kTransientFirst, true) == proto::Status::BadParameter);
  CHECK(maker_of(bench.router.idle_housekeeping()) == '-');
  bench.managed.has_housekeeping = false;
  CHECK_FALSE(bench.router.may_have_housekeeping());
  bench.router.close_context(kRaw);
  CHECK(bench.router.may_have_housekeeping());
  CHECK(bench.raw.calls == "open execute close ");
  CHECK(bench.managed.calls.empty());

  bench.router.open_context(kManaged, kUser);
  bench.router.skip_handles(kManaged, 1);
  CHECK(maker_of(bench.router.housekeeping()) == 'm');
  CHECK_FALSE(bench.router.may_have_housekeeping());
  CHECK(maker_of(bench.router.housekeeping()) == 'm');
  CHECK(maker_of(bench.router.execute(command_of(kManaged))) == 'm');
  CHECK(bench.managed.calls == "open skip bring-up housekeeping execute ");
}
