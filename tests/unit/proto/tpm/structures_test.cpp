#include "proto/tpm/structures.h"

#include <cstring>

#include "proto/limits.h"
#include "tests/support/catch2.h"

using namespace tbs;
using proto::Buffer;
using proto::Bytes;
using tpm::marshal;
using tpm::sized;
using tpm::take;
using tpm::unmarshal;

namespace {

// Before anything is marshalled.
[[maybe_unused]] const bool kSilent = (tpm::silence_marshalling(), true);

TPMT_PUBLIC storage_key() {
  TPMT_PUBLIC key{};
  key.type = TPM2_ALG_ECC;
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  key.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
  key.parameters.eccDetail.symmetric.keyBits.aes = 128;
  key.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
  key.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
  key.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  key.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  return key;
}

}  // namespace

TEST_CASE("structures are big-endian on every machine", "[proto][tpm][structures]") {
  TPMS_TIME_INFO time{};
  time.time = 0x0102030405060708;
  time.clockInfo = {.clock = 0x1112131415161718,
                    .resetCount = 0x21222324,
                    .restartCount = 0x31323334,
                    .safe = TPM2_YES};
  const Buffer bytes = marshal(time);
  CHECK(bytes == Buffer{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x11,
                        0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x21, 0x22,
                        0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x01});
  const auto back = unmarshal<TPMS_TIME_INFO>(bytes);
  REQUIRE(back);
  CHECK(back->clockInfo.resetCount == 0x21222324);
  CHECK(back->clockInfo.restartCount == 0x31323334);
}

TEST_CASE("every cut of a structure is refused", "[proto][tpm][structures]") {
  TPMS_CAPABILITY_DATA data{.capability = TPM2_CAP_TPM_PROPERTIES, .data = {}};
  data.data.tpmProperties.count = 2;
  data.data.tpmProperties.tpmProperty[1] = {.property = TPM2_PT_REVISION, .value = 138};
  const Buffer bytes = marshal(data);
  REQUIRE(bytes.size() == 4 + 4 + 2 * 8);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // In a buffer of its own, so that a look behind the end is noticed.
    const Buffer cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes left(cut);
    CHECK_FALSE(take<TPMS_CAPABILITY_DATA>(left));
    CHECK(left.size() == size);
  }
  CHECK(unmarshal<TPMS_CAPABILITY_DATA>(bytes)->data.tpmProperties.tpmProperty[1].value == 138);
}

TEST_CASE("a structure is taken off the front", "[proto][tpm][structures]") {
  Buffer bytes = marshal(*sized<TPM2B_DIGEST>(Buffer{1, 2, 3}));
  bytes.push_back(0x77);
  Bytes left(bytes);
  const auto digest = take<TPM2B_DIGEST>(left);
  REQUIRE(digest);
  CHECK(digest->size == 3);
  CHECK(digest->buffer[2] == 3);
  REQUIRE(left.size() == 1);
  CHECK(left.front() == 0x77);
}

TEST_CASE("lists longer than there is room for are refused", "[proto][tpm][structures]") {
  Buffer bytes;
  proto::ByteWriter writer(bytes);
  writer.be32(TPM2_CAP_HANDLES);
  writer.be32(TPM2_MAX_CAP_HANDLES + 1);
  bytes.resize(bytes.size() + 4 * (TPM2_MAX_CAP_HANDLES + 1));
  CHECK_FALSE(unmarshal<TPMS_CAPABILITY_DATA>(bytes));
  bytes[7] = static_cast<std::uint8_t>(TPM2_MAX_CAP_HANDLES);
  CHECK(unmarshal<TPMS_CAPABILITY_DATA>(bytes)->data.handles.count == TPM2_MAX_CAP_HANDLES);
  std::memset(bytes.data() + 4, 0xFF, 4);
  CHECK_FALSE(unmarshal<TPMS_CAPABILITY_DATA>(bytes));
}

TEST_CASE("a public area comes back as it went", "[proto][tpm][structures]") {
  const Buffer bytes = marshal(TPM2B_PUBLIC{.size = 0, .publicArea = storage_key()});
  REQUIRE(bytes.size() > 2);
  CHECK((bytes[0] << 8 | bytes[1]) == static_cast<int>(bytes.size() - 2));
  const auto back = unmarshal<TPM2B_PUBLIC>(bytes);
  REQUIRE(back);
  CHECK(back->publicArea.objectAttributes == storage_key().objectAttributes);
  CHECK(marshal(TPM2B_PUBLIC{.size = 0, .publicArea = back->publicArea}) == bytes);
}

TEST_CASE("what a structure has no room for is not put into it", "[proto][tpm][structures]") {
  CHECK(sized<TPM2B_AUTH>(Buffer(64))->size == 64);
  CHECK_FALSE(sized<TPM2B_AUTH>(Buffer(65)));
  CHECK(sized<TPM2B_EVENT>(Buffer(1024)));
  CHECK_FALSE(sized<TPM2B_EVENT>(Buffer(1025)));
  TPML_PCR_SELECTION list{};
  list.count = TPM2_NUM_PCR_BANKS + 1;
  CHECK(marshal(list).empty());
}

TEST_CASE("a password is one authorization", "[proto][tpm][structures]") {
  CHECK(tpm::password_authorization() == Buffer{0x40, 0, 0, 9, 0, 0, 0, 0, 0});
  CHECK(tpm::password_authorization(Buffer{'p', 'w'}) ==
        Buffer{0x40, 0, 0, 9, 0, 0, 0, 0, 2, 'p', 'w'});
}

// Contexts are opaque and may be longer than this, which is why the daemon does not take them apart
// with tss2-mu.
TEST_CASE("tpm2-tss has less room for a context than the daemon", "[proto][tpm][structures]") {
  CHECK(sizeof(TPMS_CONTEXT_DATA) < proto::kMaxTpmMessage);
}
