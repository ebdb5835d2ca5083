#include "proto/tpm/commands.h"

#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"

using namespace tbs;
using proto::Buffer;
using proto::Bytes;
namespace build = tpm::build;

namespace {

Bytes behind(const Buffer& command, std::size_t offset) {
  return Bytes(command).subspan(offset);
}

}  // namespace

TEST_CASE("commands state their size and have no authorization", "[proto][tpm][commands]") {
  const Buffer blob(40, 0x5A);
  for (const Buffer& command :
       {build::startup(TPM2_SU_CLEAR), build::shutdown(TPM2_SU_STATE), build::read_clock(),
        build::get_capability(1, 2, 3), build::context_save(0x80000000), build::context_load(blob),
        build::flush_context(0x02000001), build::get_random(8), build::read_public(0x81000001),
        build::self_test(), build::pcr_read({})}) {
    const auto header = proto::read_tpm_header(command);
    REQUIRE(header);
    CHECK(header->tag == TPM2_ST_NO_SESSIONS);
  }
}

TEST_CASE("commands say what they are to say", "[proto][tpm][commands]") {
  CHECK(build::startup(TPM2_SU_STATE) == Buffer{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 1});
  CHECK(build::get_random(0x1234) == Buffer{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7B, 0x12, 0x34});
  CHECK(build::flush_context(0x80FFFFFE) ==
        Buffer{0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65, 0x80, 0xFF, 0xFF, 0xFE});
  const Buffer blob = {1, 2, 3};
  const Buffer load = build::context_load(blob);
  CHECK(Buffer(load.begin() + 10, load.end()) == blob);
}

TEST_CASE("a PCR is extended by an event, with an empty password", "[proto][tpm][commands]") {
  const Buffer command = build::pcr_event(12, Buffer{'e', 'v'});
  CHECK(command == Buffer{0x80, 0x02, 0,    0, 0, 31, 0, 0, 0x01, 0x3C, 0, 0, 0, 12,  0,  0,
                          0,    9,    0x40, 0, 0, 9,  0, 0, 0,    0,    0, 0, 2, 'e', 'v'});
}

TEST_CASE("PCRs are asked for by bank and bit", "[proto][tpm][commands]") {
  TPML_PCR_SELECTION selection{.count = 1, .pcrSelections = {}};
  selection.pcrSelections[0] = {
      .hash = TPM2_ALG_SHA256, .sizeofSelect = 3, .pcrSelect = {0x81, 0, 0x01}};
  const Buffer command = build::pcr_read(selection);
  CHECK(command ==
        Buffer{0x80, 0x01, 0, 0, 0, 20, 0, 0, 0x01, 0x7E, 0, 0, 0, 1, 0, 11, 0x03, 0x81, 0, 0x01});
}

TEST_CASE("a primary key is asked for by its public area", "[proto][tpm][commands]") {
  TPMT_PUBLIC kind{};
  kind.type = TPM2_ALG_KEYEDHASH;
  kind.nameAlg = TPM2_ALG_SHA256;
  kind.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT;
  kind.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  const Buffer command = build::create_primary(TPM2_RH_OWNER, kind, Buffer{'p'});
  const auto header = proto::read_tpm_header(command);
  REQUIRE(header);
  CHECK(header->tag == TPM2_ST_SESSIONS);
  Bytes left = behind(command, 10 + 4 + 4 + 9);
  const auto sensitive = tpm::take<TPM2B_SENSITIVE_CREATE>(left);
  REQUIRE(sensitive);
  CHECK(sensitive->sensitive.userAuth.size == 1);
  const auto area = tpm::take<TPM2B_PUBLIC>(left);
  REQUIRE(area);
  CHECK(area->publicArea.type == TPM2_ALG_KEYEDHASH);
  CHECK(area->publicArea.objectAttributes == TPMA_OBJECT_SIGN_ENCRYPT);
  CHECK(Buffer(left.begin(), left.end()) == Buffer(2 + 4));  // no data, no PCRs
}
