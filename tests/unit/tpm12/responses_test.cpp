// Responses of TPM 1.2, and what is in them.

#include <vector>

#include "daemon/tpm12/capability.h"
#include "daemon/tpm12/context_blob.h"
#include "daemon/tpm12/key_identity.h"
#include "daemon/tpm12/response.h"
#include "daemon/tpm12/response_code.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm12;
using Bytes = std::vector<std::uint8_t>;

namespace {

// A handle, two bytes, and two sessions of which the second ends.
Bytes response() {
  Bytes bytes = {0x00, 0xC6, 0, 0, 0, 98, 0, 0, 0, 0, 5, 0, 0, 1, 7, 7};
  for (const std::uint8_t flag : {std::uint8_t{1}, std::uint8_t{0}}) {
    bytes.insert(bytes.end(), 20, 3);
    bytes.push_back(flag);
    bytes.insert(bytes.end(), 20, 3);
  }
  return bytes;
}

Bytes blob() {
  Bytes bytes = {0, 1, 0, 0, 0, 2, 0, 0, 0, 77};
  bytes.insert(bytes.end(), 16, 9);
  bytes.insert(bytes.end(), {0, 0, 1, 2});
  bytes.insert(bytes.end(), 20, 9);
  return bytes;
}

// A TPM_KEY12 with a modulus of one byte.
Bytes key(std::uint8_t modulus) {
  return {0, 0x28, 0, 0, 0, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 1,       0, 1, 0, 2, 0,
          0, 0,    2, 8, 8, 0,    0, 0, 1, 4, 0, 0, 0, 1, modulus, 0, 0, 0, 0};
}

}  // namespace

TEST_CASE("a TPM 1.2 response is taken apart", "[tpm12]") {
  const Bytes bytes = response();
  const auto view = parse_response(bytes);
  REQUIRE(view);
  CHECK(view->success());
  CHECK(view->handle() == 0x05000001u);
  CHECK(view->parameters.size() == 6);
  REQUIRE(view->auth_count == 2);
  CHECK(view->continues[0]);
  CHECK_FALSE(view->continues[1]);
}

TEST_CASE("what is no TPM 1.2 response is recognized", "[tpm12]") {
  Bytes bytes = response();
  bytes[1] = 0xC7;
  CHECK_FALSE(parse_response(bytes));
  bytes = response();
  bytes.pop_back();
  CHECK_FALSE(parse_response(bytes));
  // Too short for its sessions.
  bytes.resize(60);
  bytes[5] = 60;
  CHECK_FALSE(parse_response(bytes));
  // A failure has none, whatever its tag says.
  const auto failure = parse_response(bare_response(rc::kBadTag));
  REQUIRE(failure);
  CHECK(failure->code == rc::kBadTag);
  CHECK(failure->auth_count == 0);
}

TEST_CASE("a wrapped response is found in the transport response", "[tpm12]") {
  Bytes bytes(12, 1);
  const Bytes inner = bare_response(3);
  bytes.insert(bytes.end(), {0, 0, 0, 10});
  bytes.insert(bytes.end(), inner.begin(), inner.end());
  const Bytes outer = response_with(tbs::proto::Bytes(bytes));
  const auto found = wrapped_response(*parse_response(outer));
  REQUIRE(found);
  CHECK(found->data() == outer.data() + kWrappedResponseOffset);
  CHECK(Bytes(found->begin(), found->end()) == inner);
  bytes[15] = 11;
  CHECK_FALSE(wrapped_response(*parse_response(response_with(tbs::proto::Bytes(bytes)))));
}

TEST_CASE("what can be done about a return code", "[tpm12]") {
  CHECK(remedy_of(rc::kRetry) == Remedy::Wait);
  CHECK(remedy_of(rc::kDoingSelfTest) == Remedy::Wait);
  CHECK(remedy_of(rc::kNeedsSelfTest) == Remedy::SelfTest);
  CHECK(remedy_of(rc::kResources) == Remedy::FreeSlot);
  CHECK(remedy_of(rc::kNoContextSpace) == Remedy::DropSession);
  CHECK(remedy_of(rc::kContextGap) == Remedy::RenewOldest);
  CHECK(remedy_of(rc::kInvalidAuthHandle) == Remedy::CheckTables);
  CHECK(remedy_of(rc::kInvalidPostInit) == Remedy::Start);
  CHECK(remedy_of(1) == Remedy::None);
}

TEST_CASE("a context blob tells its kind, handle and count", "[tpm12]") {
  const Bytes bytes = blob();
  const auto context = parse_context_blob(bytes);
  REQUIRE(context);
  CHECK(context->resource_type == 2);
  CHECK(context->handle == 77);
  CHECK(context->count == 0x102);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_context_blob(tbs::proto::Bytes(bytes).first(size)));
  }
  Bytes other = bytes;
  other[1] = 2;
  CHECK_FALSE(parse_context_blob(other));
}

TEST_CASE("a key pair is known by its public key", "[tpm12]") {
  CHECK(identity_of_key(key(1)) == identity_of_key(key(1)));
  CHECK(identity_of_key(key(1)) != identity_of_key(key(2)));
  CHECK(identity_of_key(key(1)) != kUnknownKey);
  Bytes other = key(1);
  other[10] = 0;  // authDataUsage is not part of it
  CHECK(identity_of_key(other) == identity_of_key(key(1)));
  CHECK(identity_of_key({}) == kUnknownKey);
  CHECK(identity_of_key(tbs::proto::Bytes(other).first(30)) == kUnknownKey);
  CHECK(may_be_same(kUnknownKey, 5));
  CHECK(may_be_same(5, 5));
  CHECK_FALSE(may_be_same(4, 5));
}

TEST_CASE("capabilities are read and written", "[tpm12]") {
  const Bytes query = {0, 0, 0, 0x14, 0, 0, 0, 4, 0, 0, 0, 2};
  const auto parsed = parse_capability_query(query);
  REQUIRE(parsed);
  CHECK(parsed->area == cap::kHandle);
  CHECK(parsed->sub == 2u);
  CHECK_FALSE(parse_capability_query(tbs::proto::Bytes(query).first(11)));
  const Bytes other = {0, 0, 0, 0x14, 0, 0, 0, 1, 9};
  REQUIRE(parse_capability_query(other));
  CHECK_FALSE(parse_capability_query(other)->sub);

  const std::vector<std::uint32_t> handles = {1, 0x02000000};
  const Bytes list = handle_list(handles);
  CHECK(parse_handle_list(parse_response(list)->parameters) == handles);
  const Bytes word = capability_word(42);
  CHECK(parse_capability_word(parse_response(word)->parameters) == 42u);
  CHECK_FALSE(parse_handle_list(parse_response(word)->parameters));
  CHECK_FALSE(parse_capability_word(parse_response(list)->parameters));
}
