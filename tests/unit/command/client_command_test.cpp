#include "daemon/command/client_command.h"

#include <catch2/catch.hpp>

#include "daemon/command/client_response.h"
#include "tests/support/client_command.h"

using namespace tbs;
using proto::Buffer;
using test::client_command;

namespace {

Buffer message(std::uint16_t tag, std::uint32_t code, const Buffer& body = {}) {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

// TPM_ExecuteTransport around these bytes, with the authorization of its session.
Buffer transported(const Buffer& inner) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be32(static_cast<std::uint32_t>(inner.size()));
  writer.bytes(inner);
  writer.bytes(Buffer(45));
  return message(0x00C2, 0xE7, body);
}

Buffer transport_response(std::uint32_t outer, std::uint32_t inner) {
  Buffer body(12);  // currentTicks, locality
  proto::ByteWriter writer(body);
  writer.be32(10);
  writer.bytes(message(0x00C4, inner));
  writer.bytes(Buffer(41));
  return message(0x00C5, outer, body);
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
  const auto command = client_command({.user = UserId{1001},
                                       .roles = test::kAdministratorRoles,
                                       .context = ContextId{7},
                                       .request = RequestId{8},
                                       .priority = 300,
                                       .locality = 2,
                                       .bytes = message(0x8002, 0x131, {1, 2, 3, 4})});
  REQUIRE(command != nullptr);
  CHECK(command->requester().user == UserId{1001});
  CHECK(command->requester().account == account_of(UserId{1001}));
  CHECK(command->requester().is_administrator());
  CHECK(command->context() == ContextId{7});
  CHECK(command->request() == RequestId{8});
  CHECK(command->priority() == 300);
  CHECK(command->locality() == 2);
  CHECK(command->family() == Family::Tpm20);
  CHECK(command->header().tag == 0x8002);
  CHECK(command->header().size == 14);
  CHECK(command->code() == 0x131);
  CHECK(command->effective_code() == 0x131);
  CHECK_FALSE(command->embedded().has_value());
  CHECK(command->bytes().size() == 14);
}

TEST_CASE("bytes without a header of their size are no command", "[command]") {
  Buffer longer = message(0x8001, 0x17B);
  longer.push_back(0);
  for (const Buffer& bytes : {Buffer(), Buffer(9), longer, Buffer(10)}) {
    CHECK(client_command({.bytes = bytes}) == nullptr);
  }
}

TEST_CASE("a command brings an authorization by its tag", "[command]") {
  const auto brings = [](Family family, std::uint16_t tag) {
    return client_command({.family = family, .bytes = message(tag, 0x17B)})->has_authorization();
  };
  CHECK(brings(Family::Tpm20, 0x8002));
  CHECK_FALSE(brings(Family::Tpm20, 0x8001));
  CHECK(brings(Family::Tpm12, 0x00C2));
  CHECK(brings(Family::Tpm12, 0x00C3));
  CHECK_FALSE(brings(Family::Tpm12, 0x00C1));
}

TEST_CASE("the command inside a transport session is found", "[command]") {
  const Buffer inner = message(0x00C1, 0x5D);
  const auto command = client_command({.family = Family::Tpm12, .bytes = transported(inner)});
  REQUIRE(command->embedded().has_value());
  CHECK(std::ranges::equal(*command->embedded(), inner));
  CHECK(command->code() == 0xE7);
  CHECK(command->effective_code() == 0x5D);

  SECTION("what stands there may be no command") {
    const auto cut = client_command({.family = Family::Tpm12, .bytes = transported({0, 0xC1, 0})});
    REQUIRE(cut->embedded().has_value());
    CHECK(cut->effective_code() == 0);
  }
  SECTION("there may be no room for one") {
    const auto empty = client_command({.family = Family::Tpm12, .bytes = message(0x00C1, 0xE7)});
    CHECK_FALSE(empty->embedded().has_value());
    CHECK(empty->effective_code() == 0xE7);
  }
  SECTION("the number means nothing to a TPM 2.0") {
    const auto other = client_command({.bytes = transported(inner)});
    CHECK_FALSE(other->embedded().has_value());
    CHECK(other->effective_code() == 0xE7);
  }
}

TEST_CASE("the result is that of the command inside, where it ran", "[command]") {
  const auto plain = client_command({.family = Family::Tpm12, .bytes = message(0x00C1, 0x14)});
  const auto outer =
      client_command({.family = Family::Tpm12, .bytes = transported(message(0x00C1, 0x14))});
  CHECK(result_of(*plain, message(0x00C4, 9)) == 9U);
  CHECK(result_of(*outer, transport_response(0, 1)) == 1U);
  CHECK(result_of(*outer, transport_response(0, 0)) == 0U);
  CHECK(result_of(*outer, message(0x00C4, 0x1D)) == 0x1DU);
  // A success without a response inside is none.
  CHECK(result_of(*outer, message(0x00C5, 0)) != 0U);
  CHECK_FALSE(result_of(*plain, {}).has_value());
  CHECK_FALSE(result_of(*outer, Buffer(9)).has_value());
}

TEST_CASE("a bare response is one of the family", "[command]") {
  CHECK(bare_response(Family::Tpm12, 0x803) == message(0x00C4, 0x803));
  CHECK(bare_response(Family::Tpm20, 0x921) == message(0x8001, 0x921));
}
