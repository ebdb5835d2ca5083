#include "daemon/server/state_changes.h"

#include "proto/byte_writer.h"
#include "proto/tpm/constants.h"
#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using server::Change;
using server::change_of;
using server::changed_handle;

TEST_CASE("commands that change the TPM for everybody", "[server][audit]") {
  CHECK(change_of(Family::Tpm20, tpm::cc::kClear) == Change::State);
  CHECK(change_of(Family::Tpm20, tpm::cc::kNvDefineSpace) == Change::State);
  CHECK(change_of(Family::Tpm20, tpm::cc::kEvictControl) == Change::State);
  CHECK(change_of(Family::Tpm20, tpm::cc::kGetRandom) == Change::None);
  CHECK(change_of(Family::Tpm20, tpm::cc::kNvRead) == Change::None);
  CHECK(change_of(Family::Tpm12, tpm12::ord::kOwnerClear) == Change::State);
  CHECK(change_of(Family::Tpm12, tpm12::ord::kNvDefineSpace) == Change::State);
  CHECK(change_of(Family::Tpm12, tpm12::ord::kGetRandom) == Change::None);
  CHECK(change_of(Family::Tpm12, tpm::cc::kClear) == Change::None);
}

TEST_CASE("commands that change a PCR or what an NV index holds", "[server][audit]") {
  for (const std::uint32_t code : {tpm::cc::kPcrExtend, tpm::cc::kPcrEvent, tpm::cc::kPcrReset}) {
    CHECK(change_of(Family::Tpm20, code) == Change::Pcr);
  }
  for (const std::uint32_t code :
       {tpm::cc::kNvWrite, tpm::cc::kNvIncrement, tpm::cc::kNvExtend, tpm::cc::kNvSetBits}) {
    CHECK(change_of(Family::Tpm20, code) == Change::Nv);
  }
  // Extend, PCR_Reset; NV_WriteValue, NV_WriteValueAuth.
  CHECK(change_of(Family::Tpm12, 0x14) == Change::Pcr);
  CHECK(change_of(Family::Tpm12, 0xC8) == Change::Pcr);
  CHECK(change_of(Family::Tpm12, 0xCD) == Change::Nv);
  CHECK(change_of(Family::Tpm12, 0xCE) == Change::Nv);
}

TEST_CASE("the PCR or NV index that a command names", "[server][audit]") {
  proto::Buffer command(18, 0);
  command[13] = 16;
  command[14] = 0x01;
  command[17] = 9;
  CHECK(changed_handle(Family::Tpm20, Change::Pcr, command) == 16);
  CHECK(changed_handle(Family::Tpm12, Change::Pcr, command) == 16);
  CHECK(changed_handle(Family::Tpm20, Change::Nv, command) == 0x01000009);
  CHECK(changed_handle(Family::Tpm12, Change::Nv, command) == 16);
  CHECK(changed_handle(Family::Tpm20, Change::Nv, proto::Bytes(command).first(16)) == 0);
  CHECK(changed_handle(Family::Tpm20, Change::Pcr, {}) == 0);
}
