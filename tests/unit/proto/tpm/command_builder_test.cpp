#include "proto/tpm/command_builder.h"

#include "tests/support/catch2.h"

using namespace tbs;
using proto::Buffer;
using tpm::CommandBuilder;

TEST_CASE("a command without parts is its header", "[proto][tpm][builder]") {
  CHECK(CommandBuilder(TPM2_CC_ReadClock).finish() ==
        Buffer{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x81});
}

TEST_CASE("values are big-endian and the size is that of the whole", "[proto][tpm][builder]") {
  const Buffer command = CommandBuilder(TPM2_CC_GetRandom)
                             .handle(0x80000001)
                             .u8(0x11)
                             .u16(0x2233)
                             .u32(0x44556677)
                             .bytes(Buffer{0x88, 0x99})
                             .sized(Buffer{0xAA})
                             .finish();
  CHECK(command == Buffer{0x80, 0x01, 0,    0,    0,    26,   0,    0,    0x01,
                          0x7B, 0x80, 0,    0,    1,    0x11, 0x22, 0x33, 0x44,
                          0x55, 0x66, 0x77, 0x88, 0x99, 0,    1,    0xAA});
}

TEST_CASE("an authorization changes the tag and has its area", "[proto][tpm][builder]") {
  const Buffer command = CommandBuilder(TPM2_CC_Clear)
                             .handle(TPM2_RH_LOCKOUT)
                             .authorization(Buffer{0x40, 0, 0, 9, 0, 0, 0, 0, 0})
                             .u16(7)
                             .finish();
  CHECK(command == Buffer{0x80, 0x02, 0, 0,    0, 29, 0, 0, 0x01, 0x26, 0x40, 0, 0, 0x0A, 0,
                          0,    0,    9, 0x40, 0, 0,  9, 0, 0,    0,    0,    0, 0, 7});
}

TEST_CASE("the area is as long as all authorizations together", "[proto][tpm][builder]") {
  const Buffer command = CommandBuilder(TPM2_CC_Certify)
                             .authorization(Buffer(9, 0x11))
                             .authorization(Buffer(12, 0x22))
                             .u32(0)
                             .finish();
  REQUIRE(command.size() == 10 + 4 + 9 + 12 + 4);
  CHECK(command[13] == 21);
  CHECK(command[14] == 0x11);
  CHECK(command[23] == 0x22);
}

TEST_CASE("sizes above a byte are written whole", "[proto][tpm][builder]") {
  const Buffer command = CommandBuilder(TPM2_CC_Hash).sized(Buffer(1000, 0x5A)).finish();
  REQUIRE(command.size() == 1012);
  CHECK(command[4] == 0x03);
  CHECK(command[5] == 0xF4);
  CHECK(command[10] == 0x03);
  CHECK(command[11] == 0xE8);
}
