#include "daemon/tpm/saved_context.h"

#include <vector>

#include "proto/tpm/constants.h"
#include "proto/tpm/structures.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::tpm;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("a saved context is read, without what follows it", "[tpm][saved_context]") {
  const Bytes bytes = {0, 0, 0, 0, 0, 0, 1, 2, 0x02, 0, 0, 3, 0x40, 0, 0, 7, 0, 2, 0xAA, 0xBB};
  Bytes padded = bytes;
  padded.resize(padded.size() + 30);
  const auto context = parse_saved_context(padded);
  REQUIRE(context);
  CHECK(context->sequence == 0x102);
  CHECK(context->handle == 0x02000003);
  CHECK(context->hierarchy == kRhNull);
  CHECK(Bytes(context->bytes.begin(), context->bytes.end()) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(parse_saved_context(proto::Bytes(bytes).first(size)));
  }
}

TEST_CASE("a saved context is read as tss2-mu reads it", "[tpm][saved_context]") {
  TPMS_CONTEXT context{};
  context.sequence = 0x1122334455667788;
  context.savedHandle = kSavedStClearObject;
  context.hierarchy = TPM2_RH_ENDORSEMENT;
  context.contextBlob = *sized<TPM2B_CONTEXT_DATA>(Bytes(1000, 0x5A));
  const Bytes bytes = marshal(context);
  const auto read = parse_saved_context(bytes);
  REQUIRE(read);
  CHECK(read->sequence == context.sequence);
  CHECK(read->handle == context.savedHandle);
  CHECK(read->hierarchy == context.hierarchy);
  CHECK(read->bytes.size() == bytes.size());
}

TEST_CASE("a context may be longer than tpm2-tss has room for", "[tpm][saved_context]") {
  Bytes bytes(18 + 10000);
  bytes[16] = 10000 >> 8;
  bytes[17] = 10000 & 0xFF;
  CHECK_FALSE(unmarshal<TPMS_CONTEXT>(bytes));
  const auto read = parse_saved_context(bytes);
  REQUIRE(read);
  CHECK(read->bytes.size() == bytes.size());
}
