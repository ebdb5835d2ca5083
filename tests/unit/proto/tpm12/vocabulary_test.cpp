// The numbers of TPM 1.2, which no library gives: a few of each table against the specification.

#include "proto/tpm12/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm12;

TEST_CASE("ordinals of TPM 1.2 are those of Part 2", "[proto][tpm12]") {
  CHECK(ord::kOiap == 10);
  CHECK(ord::kTakeOwnership == 13);
  CHECK(ord::kPcrRead == 21);
  CHECK(ord::kCmkCreateBlob == 27);
  CHECK(ord::kUnBind == 30);
  CHECK(ord::kLoadKey2 == 65);
  CHECK(ord::kGetRandom == 70);
  CHECK(ord::kSelfTestFull == 80);
  CHECK(ord::kGetCapability == 101);
  CHECK(ord::kSetOwnerInstall == 113);
  CHECK(ord::kOwnerReadInternalPub == 129);
  CHECK(ord::kStartup == 153);
  CHECK(ord::kSaveContext == 184);
  CHECK(ord::kNvDefineSpace == 204);
  CHECK(ord::kDelegateReadTable == 219);
  CHECK(ord::kReleaseCounterOwner == 224);
  CHECK(ord::kReleaseTransportSigned == 232);
  CHECK(ord::kTickStampBlob == 242);
  CHECK(ord::kTscPhysicalPresence == 0x4000000A);
}

TEST_CASE("return codes of TPM 1.2 are those of Part 2", "[proto][tpm12]") {
  CHECK(rc::kAuthFail == 1);
  CHECK(rc::kBadOrdinal == 10);
  CHECK(rc::kResources == 21);
  CHECK(rc::kAuth2Fail == 29);
  CHECK(rc::kInvalidPostInit == 38);
  CHECK(rc::kInvalidResource == 53);
  CHECK(rc::kContextGap == 71);
  CHECK(rc::kNoContextSpace == 99);
  CHECK(rc::kDefendLockRunning == 0x803);
}

TEST_CASE("tags count the authorizations", "[proto][tpm12]") {
  CHECK(kTagAuth1Command == kTagCommand + 1);
  CHECK(kTagAuth2Command == kTagCommand + 2);
  CHECK(kTagAuth1Response == kTagResponse + 1);
  CHECK(kTagAuth2Response == kTagResponse + 2);
}

TEST_CASE("reserved handles are told from those of loaded keys", "[proto][tpm12]") {
  CHECK(is_reserved(kReservedSrk));
  CHECK(is_reserved(0x40000006));
  CHECK_FALSE(is_reserved(0x01000000));
  CHECK_FALSE(is_reserved(0x80000000));
}
