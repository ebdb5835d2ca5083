#pragma once

// The numbers of TPM 2.0 that the daemon itself uses. Source: TPM 2.0 Library, Part 2 "Structures"
// (tags, command codes, response codes, handle types, capabilities and properties). Command codes
// that the daemon only passes on are not listed: the TPM itself says what they look like.

#include <cstddef>
#include <cstdint>

namespace tbs::tpm {

// Part 2, "TPM_ST".
inline constexpr std::uint16_t kTagNoSessions = 0x8001;
inline constexpr std::uint16_t kTagSessions = 0x8002;
// The tag of TPM 1.2 responses, which a TPM 2.0 gives to a command with a tag it does not know.
inline constexpr std::uint16_t kTagRspCommand = 0x00C4;

inline constexpr std::size_t kHeaderSize = 10;
// What TPMA_CC can say; standard commands have three at most.
inline constexpr std::size_t kMaxHandles = 7;
inline constexpr std::size_t kMaxSessions = 3;

// Part 2, "TPM_CC".
namespace cc {
inline constexpr std::uint32_t kEvictControl = 0x120;
inline constexpr std::uint32_t kHierarchyControl = 0x121;
inline constexpr std::uint32_t kUndefineSpace = 0x122;
inline constexpr std::uint32_t kChangeEps = 0x124;
inline constexpr std::uint32_t kChangePps = 0x125;
inline constexpr std::uint32_t kClear = 0x126;
inline constexpr std::uint32_t kPcrAllocate = 0x12B;
inline constexpr std::uint32_t kCreatePrimary = 0x131;
inline constexpr std::uint32_t kDictionaryAttackLockReset = 0x139;
inline constexpr std::uint32_t kDictionaryAttackParameters = 0x13A;
inline constexpr std::uint32_t kSetAlgorithmSet = 0x13F;
inline constexpr std::uint32_t kFieldUpgradeStart = 0x12F;
inline constexpr std::uint32_t kFieldUpgradeData = 0x141;
inline constexpr std::uint32_t kIncrementalSelfTest = 0x142;
inline constexpr std::uint32_t kSelfTest = 0x143;
inline constexpr std::uint32_t kStartup = 0x144;
inline constexpr std::uint32_t kShutdown = 0x145;
inline constexpr std::uint32_t kStirRandom = 0x146;
inline constexpr std::uint32_t kSequenceComplete = 0x13E;
inline constexpr std::uint32_t kEventSequenceComplete = 0x185;
inline constexpr std::uint32_t kCreate = 0x153;
inline constexpr std::uint32_t kHmacStart = 0x15B;
inline constexpr std::uint32_t kImport = 0x156;
inline constexpr std::uint32_t kLoad = 0x157;
inline constexpr std::uint32_t kContextLoad = 0x161;
inline constexpr std::uint32_t kContextSave = 0x162;
inline constexpr std::uint32_t kFlushContext = 0x165;
inline constexpr std::uint32_t kLoadExternal = 0x167;
inline constexpr std::uint32_t kReadPublic = 0x173;
inline constexpr std::uint32_t kStartAuthSession = 0x176;
inline constexpr std::uint32_t kGetCapability = 0x17A;
inline constexpr std::uint32_t kGetRandom = 0x17B;
inline constexpr std::uint32_t kGetTestResult = 0x17C;
inline constexpr std::uint32_t kPcrRead = 0x17E;
inline constexpr std::uint32_t kReadClock = 0x181;
inline constexpr std::uint32_t kHashSequenceStart = 0x186;
inline constexpr std::uint32_t kCreateLoaded = 0x191;
// Set in the codes of vendor commands.
inline constexpr std::uint32_t kVendorBit = 0x20000000;
}  // namespace cc

// Part 2, "TPM_HT": the most significant byte of a handle.
enum class HandleType : std::uint8_t {
  Pcr = 0x00,
  NvIndex = 0x01,
  HmacSession = 0x02,    // in GetCapability: every loaded session
  PolicySession = 0x03,  // in GetCapability: every saved session
  Permanent = 0x40,
  Transient = 0x80,
  Persistent = 0x81,
};

constexpr HandleType handle_type(std::uint32_t handle) {
  return static_cast<HandleType>(handle >> 24);
}
constexpr bool is_transient(std::uint32_t handle) {
  return handle_type(handle) == HandleType::Transient;
}
constexpr bool is_session(std::uint32_t handle) {
  return handle_type(handle) == HandleType::HmacSession ||
         handle_type(handle) == HandleType::PolicySession;
}
// The part of a session handle that is the same whether it is listed as HMAC, policy or saved.
constexpr std::uint32_t handle_index(std::uint32_t handle) {
  return handle & 0x00FFFFFF;
}

inline constexpr std::uint32_t kTransientFirst = 0x80000000;
inline constexpr std::uint32_t kLoadedSessionFirst = 0x02000000;
inline constexpr std::uint32_t kSavedSessionFirst = 0x03000000;
inline constexpr std::uint32_t kPasswordSession = 0x40000009;

// Part 2, "TPM_RH": the hierarchies an object can belong to.
inline constexpr std::uint32_t kRhOwner = 0x40000001;
inline constexpr std::uint32_t kRhNull = 0x40000007;
inline constexpr std::uint32_t kRhEndorsement = 0x4000000B;
inline constexpr std::uint32_t kRhPlatform = 0x4000000C;

// Part 2, "TPMS_CONTEXT": what kind of object a saved context holds.
inline constexpr std::uint32_t kSavedObject = 0x80000000;
inline constexpr std::uint32_t kSavedSequence = 0x80000001;
inline constexpr std::uint32_t kSavedStClearObject = 0x80000002;

// Part 2, "TPM_SU".
inline constexpr std::uint16_t kStartupClear = 0x0000;
inline constexpr std::uint16_t kStartupState = 0x0001;

// Part 2, "TPMA_SESSION".
inline constexpr std::uint8_t kContinueSession = 0x01;

// Part 2, "TPM_CAP".
namespace cap {
inline constexpr std::uint32_t kAlgorithms = 0;
inline constexpr std::uint32_t kHandles = 1;
inline constexpr std::uint32_t kCommands = 2;
inline constexpr std::uint32_t kProperties = 6;
inline constexpr std::uint32_t kPcrProperties = 7;
inline constexpr std::uint32_t kEccCurves = 8;
}  // namespace cap

// Part 2, "TPM_PT".
namespace pt {
inline constexpr std::uint32_t kFixed = 0x100;
inline constexpr std::uint32_t kRevision = 0x102;
inline constexpr std::uint32_t kManufacturer = 0x105;
inline constexpr std::uint32_t kHrTransientMin = 0x10E;
inline constexpr std::uint32_t kHrLoadedMin = 0x110;
inline constexpr std::uint32_t kActiveSessionsMax = 0x111;
inline constexpr std::uint32_t kContextGapMax = 0x114;
inline constexpr std::uint32_t kMaxCommandSize = 0x11E;
inline constexpr std::uint32_t kMaxResponseSize = 0x11F;
inline constexpr std::uint32_t kVariable = 0x200;
inline constexpr std::uint32_t kHrLoaded = 0x203;
inline constexpr std::uint32_t kHrLoadedAvail = 0x204;
inline constexpr std::uint32_t kHrActive = 0x205;
inline constexpr std::uint32_t kHrActiveAvail = 0x206;
inline constexpr std::uint32_t kHrTransientAvail = 0x207;
inline constexpr std::uint32_t kLockoutCounter = 0x20E;
inline constexpr std::uint32_t kMaxAuthFail = 0x20F;
inline constexpr std::uint32_t kLockoutInterval = 0x210;
}  // namespace pt

}  // namespace tbs::tpm
