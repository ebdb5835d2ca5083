#include "daemon/policy/lasting_change.h"

#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"
#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using policy::lasting_change_of;
using policy::LastingChange;
using proto::Buffer;
using Kind = LastingChange::Kind;

namespace {

Buffer message(std::uint16_t tag, std::uint32_t code, const Buffer& body) {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(10 + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return bytes;
}

std::optional<LastingChange> change(const Buffer& bytes, Family family = Family::Tpm20) {
  // TPMA_CC: code, and the number of handles in bits 25 to 27.
  const std::vector<std::uint32_t> attributes = {
      TPM2_CC_NV_DefineSpace | 1U << 25,   TPM2_CC_NV_UndefineSpace | 2U << 25,
      TPM2_CC_EvictControl | 2U << 25,     TPM2_CC_NV_UndefineSpaceSpecial | 2U << 25,
      TPM2_CC_NV_Write | 2U << 25,         TPM2_CC_NV_WriteLock | 2U << 25,
      tpm::cc::kNvDefineSpace2 | 1U << 25, TPM2_CC_NV_Read | 2U << 25};
  tpm::CommandTable table;
  table.load(attributes);
  return lasting_change_of(*test::client_command({.family = family, .bytes = bytes}), table);
}

// Two handles, and a session of this type.
Buffer authorized(const Buffer& handles, std::uint8_t session_type, const Buffer& parameters = {}) {
  Buffer body = handles;
  const Buffer area = {0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  body.insert(body.end(), area.begin(), area.end());
  body[handles.size() + 4] = session_type;
  body.insert(body.end(), parameters.begin(), parameters.end());
  return body;
}

constexpr std::uint8_t kPassword = 0x40;
constexpr std::uint8_t kHmac = 0x02;
constexpr std::uint8_t kPolicy = 0x03;
const Buffer kOwnerAndIndex = {0x40, 0, 0, 1, 1, 0x50, 0, 7};
const Buffer kIndexTwice = {1, 0x50, 0, 7, 1, 0x50, 0, 7};

// TPM_NV_DATA_PUBLIC of TPM 1.2.
Buffer data_public(std::uint32_t index, std::uint32_t size) {
  Buffer body;
  proto::ByteWriter writer(body);
  writer.be16(0x0018);
  writer.be32(index);
  for (int info = 0; info < 2; ++info) {
    writer.be16(3);
    writer.bytes(Buffer(3 + 1 + 20));
  }
  writer.be16(0x0017);
  writer.be32(0);
  writer.bytes(Buffer(3));
  writer.be32(size);
  writer.bytes(Buffer(20));  // encAuth
  return body;
}

}  // namespace

TEST_CASE("what a definition makes", "[policy][ownership]") {
  const Buffer open = {0, 0, 0, 14, 1, 0x50, 0, 7, 0, 11, 0, 4, 0, 4, 0, 0, 1, 0};
  const auto made = change(message(0x8001, TPM2_CC_NV_DefineSpace, [&] {
    Buffer body = {0x40, 0, 0, 1};
    body.insert(body.end(), open.begin(), open.end());
    return body;
  }()));
  REQUIRE(made);
  CHECK(made->kind == Kind::Makes);
  CHECK(made->handle == 0x01500007);
  CHECK(made->bytes == 256);
  CHECK(made->open);
  CHECK_FALSE(made->persistent);
  // With an authorization value, a policy, and what newer TPMs have for it.
  const Buffer wide = {0x40, 0, 0, 1, 0, 1, 9, 0, 26, 0x11, 0x11, 0, 0, 7, 0,
                       11,   0, 0, 0, 0, 0, 4, 0, 4,  0,    2,    7, 7, 0, 8};
  const auto external = change(message(0x8001, tpm::cc::kNvDefineSpace2, wide));
  REQUIRE(external);
  CHECK(external->handle == 0x11000007);
  CHECK(external->bytes == 8);
  CHECK_FALSE(external->open);
  CHECK_FALSE(change(message(0x8001, TPM2_CC_NV_DefineSpace, {0x40, 0, 0, 1, 0, 9})));
}

TEST_CASE("what is undefined, and persistent in both directions", "[policy][ownership]") {
  const auto undefined =
      change(message(0x8002, TPM2_CC_NV_UndefineSpace, authorized(kOwnerAndIndex, kPassword)));
  REQUIRE(undefined);
  CHECK(undefined->kind == Kind::Removes);
  CHECK(undefined->handle == 0x01500007);
  const auto special =
      change(message(0x8001, TPM2_CC_NV_UndefineSpaceSpecial, {1, 0x50, 0, 9, 0x40, 0, 0, 0x0C}));
  REQUIRE(special);
  CHECK(special->handle == 0x01500009);
  const auto made =
      change(message(0x8002, TPM2_CC_EvictControl,
                     authorized({0x40, 0, 0, 1, 0x80, 0, 0, 0}, kPassword, {0x81, 0, 0, 5})));
  REQUIRE(made);
  CHECK(made->kind == Kind::Makes);
  CHECK(made->handle == 0x81000005);
  CHECK(made->persistent);
  // The object counts, whatever the parameter says.
  const auto evicted =
      change(message(0x8002, TPM2_CC_EvictControl,
                     authorized({0x40, 0, 0, 1, 0x81, 0, 0, 6}, kPassword, {0x81, 0, 0, 5})));
  REQUIRE(evicted);
  CHECK(evicted->kind == Kind::Removes);
  CHECK(evicted->handle == 0x81000006);
}

TEST_CASE("by whose authorization an index is changed", "[policy][ownership]") {
  const auto by_owner =
      change(message(0x8002, TPM2_CC_NV_Write, authorized(kOwnerAndIndex, kHmac)));
  REQUIRE(by_owner);
  CHECK(by_owner->kind == Kind::Changes);
  CHECK_FALSE(by_owner->by_own_value);
  CHECK(change(message(0x8002, TPM2_CC_NV_WriteLock, authorized(kOwnerAndIndex, kPolicy))));
  for (const std::uint8_t type : {kPassword, kHmac}) {
    const auto own = change(message(0x8002, TPM2_CC_NV_Write, authorized(kIndexTwice, type)));
    REQUIRE(own);
    CHECK(own->by_own_value);
  }
  CHECK_FALSE(change(message(0x8002, TPM2_CC_NV_Write, authorized(kIndexTwice, kPolicy))));
  CHECK_FALSE(change(message(0x8002, TPM2_CC_NV_Read, authorized(kOwnerAndIndex, kPassword))));
}

TEST_CASE("a TPM 1.2 defines, and undefines with a size of nothing", "[policy][ownership]") {
  namespace ord = tpm12::ord;
  const auto made =
      change(message(0x00C1, ord::kNvDefineSpace, data_public(0x1100, 32)), Family::Tpm12);
  REQUIRE(made);
  CHECK(made->kind == Kind::Makes);
  CHECK(made->handle == 0x1100);
  CHECK(made->bytes == 32);
  CHECK(made->replaces);
  const auto removed =
      change(message(0x00C1, ord::kNvDefineSpace, data_public(0x1100, 0)), Family::Tpm12);
  REQUIRE(removed);
  CHECK(removed->kind == Kind::Removes);
  CHECK(change(message(0x00C1, ord::kNvWriteValue, {0, 0, 0x11, 0}), Family::Tpm12));
  CHECK_FALSE(change(message(0x00C1, ord::kGetRandom, {0, 0, 0, 8}), Family::Tpm12));
  CHECK_FALSE(change(message(0x00C1, ord::kNvDefineSpace, {0, 0x18}), Family::Tpm12));
  // Inside a transport session it may be anything, but is something.
  for (const Buffer& body : {data_public(0x1100, 32), Buffer{1}}) {
    const Buffer inner = message(0x00C1, ord::kNvDefineSpace, body);
    Buffer outer;
    proto::ByteWriter writer(outer);
    writer.be32(static_cast<std::uint32_t>(inner.size()));
    writer.bytes(inner);
    writer.bytes(Buffer(45));
    const auto hidden = change(message(0x00C2, ord::kExecuteTransport, outer), Family::Tpm12);
    REQUIRE(hidden);
    CHECK(hidden->hidden);
  }
}
