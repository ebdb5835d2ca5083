#include "daemon/rm/plan.h"

#include <initializer_list>

#include "daemon/tpm/response_code.h"
#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/command_attributes.h"
#include "tests/support/observer_notes.h"

using namespace tbs;
using namespace tbs::rm;
using exec::PhysicalHandle;
using tbs::test::handles;
using tbs::test::kAlice;
using tbs::test::Notes;
using tpm::cc::kReadPublic;
using tpm::cc::kSign;

namespace {

constexpr ContextId kContext{1};
constexpr ContextId kOther{2};

struct Tables {
  Tables() {
    for (const ContextId context : {kContext, kOther}) {
      state.contexts.insert_or_assign(context, kAlice);
      state.objects.open_context(context, kAlice);
    }
    state.commands.load(
        std::vector<std::uint32_t>{kReadPublic | handles(1), kSign | handles(1),
                                   tpm::cc::kStartAuthSession | handles(2) | TPMA_CC_RHANDLE,
                                   tpm::cc::kHashSequenceStart | TPMA_CC_RHANDLE});
  }

  std::expected<Plan, PlanFault> plan(ContextId context, std::uint32_t code,
                                      std::initializer_list<std::uint32_t> handles,
                                      std::uint32_t session = 0) {
    bytes.clear();
    proto::ByteWriter writer(bytes);
    writer.be16(session == 0 ? tpm::kTagNoSessions : tpm::kTagSessions);
    writer.be32(0);
    writer.be32(code);
    for (const std::uint32_t handle : handles) writer.be32(handle);
    if (session != 0) {
      writer.be32(9);
      writer.be32(session);
      writer.be16(0);
      writer.u8(1);
      writer.be16(0);
    }
    tpm::put_be32(bytes, 2, static_cast<std::uint32_t>(bytes.size()));
    const auto view = tpm::parse_command(bytes, state.commands);
    REQUIRE(view);
    return make_plan(state, context, *view);
  }

  Notes notes;
  State state{exec::Options{}, notes};
  proto::Buffer bytes;
};

}  // namespace

TEST_CASE("a plan names what must be loaded", "[rm][plan]") {
  Tables tables;
  Object& key = tables.state.objects.add(kContext, PhysicalHandle{tpm::kTransientFirst + 5}, false);
  Session& session =
      tables.state.sessions.add(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 1}, kContext, kAlice);
  const auto plan =
      tables.plan(kContext, kSign, {tpm::kTransientFirst}, TPM2_HMAC_SESSION_FIRST + 1);
  REQUIRE(plan);
  CHECK(plan->handle_objects[0] == &key);
  CHECK(plan->authorizations[0] == &session);
  CHECK(plan->objects.all().size() == 1);
  CHECK(plan->sessions.all().size() == 1);
  CHECK(plan->object_slots == 0);
}

TEST_CASE("a plan has slots for what the command makes", "[rm][plan]") {
  Tables tables;
  CHECK(tables.plan(kContext, tpm::cc::kHashSequenceStart, {})->object_slots == 1);
  const auto session =
      tables.plan(kContext, tpm::cc::kStartAuthSession, {tpm::kRhNull, tpm::kRhNull});
  CHECK(session->session_slots == 1);
  CHECK(session->object_slots == 0);
}

TEST_CASE("a handle of another context is one that does not exist", "[rm][plan]") {
  Tables tables;
  tables.state.objects.add(kOther, PhysicalHandle{tpm::kTransientFirst + 5}, false);
  tables.state.sessions.add(PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 1}, kOther, kAlice);
  const auto object = tables.plan(kContext, kReadPublic, {tpm::kTransientFirst});
  REQUIRE_FALSE(object);
  CHECK(object.error().code == tpm::at_handle(tpm::rc::kHandle, 1));
  CHECK(object.error().lost == nullptr);
  // By the number that the TPM uses neither.
  CHECK_FALSE(tables.plan(kContext, kReadPublic, {tpm::kTransientFirst + 5}));
  const auto session = tables.plan(kContext, kReadPublic, {TPM2_HMAC_SESSION_FIRST + 1});
  REQUIRE_FALSE(session);
  CHECK(session.error().code == tpm::rc::kReferenceH0);
}

TEST_CASE("a session is usable under its own number, by its owner, while it is not saved",
          "[rm][plan]") {
  Tables tables;
  Session& session =
      tables.state.sessions.add(PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1}, kContext, kAlice);
  CHECK(usable_session(tables.state, kContext, PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1}) ==
        &session);
  CHECK(usable_session(tables.state, kContext, PhysicalHandle{TPM2_HMAC_SESSION_FIRST + 1}) ==
        nullptr);
  CHECK(usable_session(tables.state, kOther, PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1}) ==
        nullptr);
  session.client_blob = {1};
  CHECK(usable_session(tables.state, kContext, PhysicalHandle{TPM2_POLICY_SESSION_FIRST + 1}) ==
        nullptr);
}

TEST_CASE("to plan is to ask: what is lost is told, and stays in the table", "[rm][plan]") {
  Tables tables;
  Object& object = tables.state.objects.add(kContext, PhysicalHandle{tpm::kTransientFirst}, false);
  tables.state.objects.set_evicted(object);
  const auto plan = tables.plan(kContext, kReadPublic, {tpm::kTransientFirst});
  REQUIRE_FALSE(plan);
  CHECK(plan.error().lost == &object);
  CHECK(tables.state.objects.count(kContext) == 1);
  CHECK(tables.notes.lost_handles.empty());
}
