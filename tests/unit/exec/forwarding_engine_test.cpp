#include "daemon/exec/forwarding_engine.h"

#include <string>

#include "daemon/exec/family_engine.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/unit/exec/recording_engine.h"

using namespace tbs;
using exec::test::maker_of;
using exec::test::RecordingEngine;

namespace {

constexpr ContextId kContext{7};

class Forwarding final : public exec::ForwardingEngine {
 public:
  explicit Forwarding(exec::Engine& behind) : behind_(behind) {}

 private:
  [[nodiscard]] exec::Engine& behind() const override { return behind_; }
  exec::Engine& behind_;
};

}  // namespace

TEST_CASE("a forwarding engine hands everything on", "[exec]") {
  RecordingEngine behind('b');
  Forwarding engine(behind);
  const auto command = test::client_command({.context = kContext});
  engine.open_context(kContext, principal_of(UserId{1000}));
  engine.skip_handles(kContext, 1);
  engine.inherit(kContext, ContextId{9});
  CHECK(maker_of(engine.execute(command)) == 'b');
  CHECK(engine.loads_needed(*command) == RecordingEngine::kLoads);
  CHECK(engine.make_sticky(kContext, tpm::kTransientFirst, true) == proto::Status::Success);
  CHECK(engine.usage().objects_of_context.amount == RecordingEngine::kObjects);
  CHECK(engine.usage_of(account_of(UserId{1000})).objects == RecordingEngine::kObjects);
  CHECK(engine.next_maintenance().has_value());
  CHECK(engine.may_have_housekeeping());
  behind.has_housekeeping = false;
  CHECK_FALSE(engine.may_have_housekeeping());
  CHECK(maker_of(engine.housekeeping()) == 'b');
  CHECK(maker_of(engine.idle_housekeeping()) == 'b');
  CHECK(maker_of(engine.evict_all()) == 'b');
  CHECK(maker_of(engine.bring_up()) == 'b');
  CHECK(maker_of(engine.shutdown(true)) == 'b');
  engine.device_lost();
  engine.close_context(kContext);
  CHECK(
      behind.calls ==
      "open skip inherit execute sticky housekeeping idle evict-all bring-up shutdown lost close ");
}

TEST_CASE("commands go to the engine of the TPM's family", "[exec][family]") {
  RecordingEngine tpm12('1');
  RecordingEngine tpm20('2');
  exec::TpmIdentity identity;
  exec::FamilyEngine engine(tpm12, tpm20, identity);
  // Contexts are both engines', because the TPM behind the device may be exchanged.
  engine.open_context(kContext, principal_of(UserId{1000}));
  engine.skip_handles(kContext, 1);
  engine.inherit(kContext, ContextId{9});
  CHECK(tpm12.calls == "open skip inherit ");
  CHECK(tpm20.calls == "open skip inherit ");
  const auto command = test::client_command({.context = kContext});
  identity.family = Family::Tpm12;
  CHECK(maker_of(engine.execute(command)) == '1');
  identity.family = Family::Tpm20;
  CHECK(maker_of(engine.execute(command)) == '2');
  engine.device_lost();
  engine.close_context(kContext);
  CHECK(tpm12.calls == "open skip inherit execute lost close ");
  CHECK(tpm20.calls == "open skip inherit execute lost close ");
}

TEST_CASE("the bring-up finds out the family, and goes on with its engine", "[exec][family]") {
  RecordingEngine tpm12('1');
  RecordingEngine tpm20('2');
  exec::TpmIdentity identity;
  exec::FamilyEngine engine(tpm12, tpm20, identity);
  const auto execution = engine.bring_up();
  REQUIRE(std::holds_alternative<exec::Transmit>(execution->start()));
  // TPM_BADTAG in a response of TPM 1.2 to TPM2_Startup; then TPM_Startup, which was done already,
  // and the manufacturer.
  exec::Step step =
      execution->on_response(proto::tpm_error_response(tpm12::kTagResponse, tpm12::rc::kBadTag));
  REQUIRE(std::holds_alternative<exec::Transmit>(step));
  step = execution->on_response(
      proto::tpm_error_response(tpm12::kTagResponse, tpm12::rc::kInvalidPostInit));
  REQUIRE(std::holds_alternative<exec::Transmit>(step));
  step = execution->on_response(
      proto::Buffer{0, 0xC4, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 4, 'I', 'B', 'M', ' '});
  CHECK(identity.family == Family::Tpm12);
  CHECK(identity.manufacturer == "IBM");
  // Its permanent and volatile flags, which it does not tell.
  for (int i = 0; i < 2; ++i) {
    REQUIRE(std::holds_alternative<exec::Transmit>(step));
    step = execution->on_response(proto::tpm_error_response(tpm12::kTagResponse, 0));
  }
  CHECK(std::get<exec::Done>(step).response == proto::Buffer{'1'});
  CHECK(tpm20.calls.empty());
}
