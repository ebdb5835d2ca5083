#include "daemon/command/client_command.h"

#include "daemon/command/client_response.h"
#include "proto/limits.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"
#include "tests/support/tpm_message.h"

using namespace tbs;
using proto::Buffer;
using test::client_command;
using test::message;
namespace ord = tpm12::ord;
namespace rc = tpm12::rc;

namespace {

// TPM_ExecuteTransport around these bytes, with the authorization of its session.
Buffer transported(const Buffer& inner) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(static_cast<std::uint32_t>(inner.size()));
  writer.bytes(inner);
  writer.bytes(Buffer(tpm12::kCommandAuthSize));
  return message(tpm12::kTagAuth1Command, ord::kExecuteTransport, body);
}

Buffer transport_response(std::uint32_t outer, std::uint32_t inner) {
  Buffer body(12);  // currentTicks, locality
  proto::ByteWriter writer(body);
  writer.be32(proto::kTpmHeaderSize);
  writer.bytes(message(tpm12::kTagResponse, inner));
  writer.bytes(Buffer(tpm12::kResponseAuthSize));
  return message(tpm12::kTagAuth1Response, outer, body);
}

// Whether something can be made of these members alone.
template <typename T, typename... Members>
concept MadeOf = requires(Members... members) { T{members...}; };

}  // namespace

TEST_CASE("nobody asks for a command without saying who", "[command]") {
  using Groups = std::vector<std::uint32_t>;
  STATIC_REQUIRE(MadeOf<Requester, AccountId, UserId, Groups, Process, rules::RoleSet>);
  STATIC_REQUIRE_FALSE(MadeOf<Requester, AccountId, UserId, Groups, Process>);
  STATIC_REQUIRE_FALSE(MadeOf<Requester, AccountId, UserId, Groups>);
  STATIC_REQUIRE_FALSE(MadeOf<Requester, AccountId, UserId>);
  STATIC_REQUIRE_FALSE(MadeOf<Requester>);
  using Shared = std::shared_ptr<const Requester>;
  STATIC_REQUIRE(MadeOf<Submission, Shared, ContextId, RequestId, std::uint32_t, std::uint8_t,
                        Family, Buffer>);
  STATIC_REQUIRE_FALSE(
      MadeOf<Submission, Shared, ContextId, RequestId, std::uint32_t, std::uint8_t, Family>);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<ClientCommand>);
}

TEST_CASE("a command knows what was asked and what its header says", "[command]") {
  const auto command =
      client_command({.user = UserId{1001},
                      .roles = test::kAdministratorRoles,
                      .context = ContextId{7},
                      .request = RequestId{8},
                      .priority = 300,
                      .locality = 2,
                      .bytes = message(tpm::kTagSessions, tpm::cc::kCreatePrimary, {1, 2, 3, 4})});
  REQUIRE(command != nullptr);
  CHECK(command->requester().user == UserId{1001});
  CHECK(command->requester().account == account_of(UserId{1001}));
  CHECK(command->requester().is_administrator());
  CHECK(command->context() == ContextId{7});
  CHECK(command->request() == RequestId{8});
  CHECK(command->priority() == 300);
  CHECK(command->locality() == 2);
  CHECK(command->family() == Family::Tpm20);
  CHECK(command->header().tag == tpm::kTagSessions);
  CHECK(command->header().size == 14);
  CHECK(command->code() == tpm::cc::kCreatePrimary);
  CHECK(command->effective_code() == tpm::cc::kCreatePrimary);
  CHECK_FALSE(command->embedded().has_value());
  CHECK(command->bytes().size() == 14);
}

TEST_CASE("bytes without a header of their size are no command", "[command]") {
  Buffer longer = message(tpm::kTagNoSessions, tpm::cc::kGetRandom);
  longer.push_back(0);
  for (const Buffer& bytes : {Buffer(), Buffer(9), longer, Buffer(10)}) {
    CHECK(client_command({.bytes = bytes}) == nullptr);
  }
}

TEST_CASE("a command brings an authorization by its tag", "[command]") {
  const auto brings = [](Family family, std::uint16_t tag) {
    return client_command({.family = family, .bytes = message(tag, tpm::cc::kGetRandom)})
        ->has_authorization();
  };
  CHECK(brings(Family::Tpm20, tpm::kTagSessions));
  CHECK_FALSE(brings(Family::Tpm20, tpm::kTagNoSessions));
  CHECK(brings(Family::Tpm12, tpm12::kTagAuth1Command));
  CHECK(brings(Family::Tpm12, tpm12::kTagAuth2Command));
  CHECK_FALSE(brings(Family::Tpm12, tpm12::kTagCommand));
}

TEST_CASE("the command inside a transport session is found", "[command]") {
  const Buffer inner = message(tpm12::kTagCommand, ord::kForceClear);
  const auto command = client_command({.family = Family::Tpm12, .bytes = transported(inner)});
  REQUIRE(command->embedded().has_value());
  CHECK(std::ranges::equal(*command->embedded(), inner));
  CHECK(command->code() == ord::kExecuteTransport);
  CHECK(command->effective_code() == ord::kForceClear);

  SECTION("what stands there may be no command") {
    const auto cut = client_command({.family = Family::Tpm12, .bytes = transported({0, 0xC1, 0})});
    REQUIRE(cut->embedded().has_value());
    CHECK(cut->effective_code() == 0);
  }
  SECTION("there may be no room for one") {
    const auto empty = client_command(
        {.family = Family::Tpm12, .bytes = message(tpm12::kTagCommand, ord::kExecuteTransport)});
    CHECK_FALSE(empty->embedded().has_value());
    CHECK(empty->effective_code() == ord::kExecuteTransport);
  }
  SECTION("the number means nothing to a TPM 2.0") {
    const auto other = client_command({.bytes = transported(inner)});
    CHECK_FALSE(other->embedded().has_value());
    CHECK(other->effective_code() == ord::kExecuteTransport);
  }
}

TEST_CASE("the result is that of the command inside, where it ran", "[command]") {
  const auto plain =
      client_command({.family = Family::Tpm12, .bytes = message(tpm12::kTagCommand, ord::kExtend)});
  const auto outer = client_command(
      {.family = Family::Tpm12, .bytes = transported(message(tpm12::kTagCommand, ord::kExtend))});
  CHECK(result_of(*plain, message(tpm12::kTagResponse, rc::kFail)) == rc::kFail);
  CHECK(result_of(*outer, transport_response(rc::kSuccess, rc::kAuthFail)) == rc::kAuthFail);
  CHECK(result_of(*outer, transport_response(rc::kSuccess, rc::kSuccess)) == rc::kSuccess);
  CHECK(result_of(*outer, message(tpm12::kTagResponse, rc::kAuth2Fail)) == rc::kAuth2Fail);
  // A success without a response inside is none.
  CHECK(result_of(*outer, message(tpm12::kTagAuth1Response, rc::kSuccess)) != rc::kSuccess);
  CHECK_FALSE(result_of(*plain, {}).has_value());
  CHECK_FALSE(result_of(*outer, Buffer(9)).has_value());
}

TEST_CASE("a bare response is one of the family", "[command]") {
  CHECK(bare_response(Family::Tpm12, rc::kDefendLockRunning) ==
        message(tpm12::kTagResponse, rc::kDefendLockRunning));
  CHECK(bare_response(Family::Tpm20, tpm::rc::kLockout) ==
        message(tpm::kTagNoSessions, tpm::rc::kLockout));
}
