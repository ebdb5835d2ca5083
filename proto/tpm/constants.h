#pragma once

// The words of TPM 2.0. Every number comes from tpm2-tss (tss2_tpm2_types.h; the header alone, its
// libraries are not needed), except the few that it has not got. What is used often has a short
// name here; the rest is used by the name it has there. Source: TPM 2.0 Library, Part 2.

#include <cstddef>
#include <cstdint>

#include <tss2/tss2_tpm2_types.h>

namespace tbs::tpm {

// Part 2, "TPM_ST".
inline constexpr std::uint16_t kTagNoSessions = TPM2_ST_NO_SESSIONS;
inline constexpr std::uint16_t kTagSessions = TPM2_ST_SESSIONS;
// The tag of TPM 1.2 responses, which a TPM 2.0 gives to a command with a tag it does not know.
inline constexpr std::uint16_t kTagRspCommand = TPM2_ST_RSP_COMMAND;

// Tag, size and code, in front of every command and response.
inline constexpr std::size_t kHeaderSize = 10;
// What TPMA_CC can say; standard commands have three at most.
inline constexpr std::size_t kMaxHandles = 7;
inline constexpr std::size_t kMaxSessions = 3;

// Part 2, "TPM_CC".
namespace cc {
inline constexpr std::uint32_t kEvictControl = TPM2_CC_EvictControl;
inline constexpr std::uint32_t kHierarchyControl = TPM2_CC_HierarchyControl;
inline constexpr std::uint32_t kUndefineSpace = TPM2_CC_NV_UndefineSpace;
inline constexpr std::uint32_t kUndefineSpaceSpecial = TPM2_CC_NV_UndefineSpaceSpecial;
inline constexpr std::uint32_t kChangeEps = TPM2_CC_ChangeEPS;
inline constexpr std::uint32_t kChangePps = TPM2_CC_ChangePPS;
inline constexpr std::uint32_t kClear = TPM2_CC_Clear;
inline constexpr std::uint32_t kNvDefineSpace = TPM2_CC_NV_DefineSpace;
inline constexpr std::uint32_t kPcrAllocate = TPM2_CC_PCR_Allocate;
inline constexpr std::uint32_t kCreatePrimary = TPM2_CC_CreatePrimary;
inline constexpr std::uint32_t kDictionaryAttackLockReset = TPM2_CC_DictionaryAttackLockReset;
inline constexpr std::uint32_t kDictionaryAttackParameters = TPM2_CC_DictionaryAttackParameters;
inline constexpr std::uint32_t kPcrEvent = TPM2_CC_PCR_Event;
inline constexpr std::uint32_t kPcrReset = TPM2_CC_PCR_Reset;
inline constexpr std::uint32_t kPcrExtend = TPM2_CC_PCR_Extend;
inline constexpr std::uint32_t kSetAlgorithmSet = TPM2_CC_SetAlgorithmSet;
inline constexpr std::uint32_t kFieldUpgradeStart = TPM2_CC_FieldUpgradeStart;
inline constexpr std::uint32_t kFieldUpgradeData = TPM2_CC_FieldUpgradeData;
inline constexpr std::uint32_t kIncrementalSelfTest = TPM2_CC_IncrementalSelfTest;
inline constexpr std::uint32_t kSelfTest = TPM2_CC_SelfTest;
inline constexpr std::uint32_t kStartup = TPM2_CC_Startup;
inline constexpr std::uint32_t kShutdown = TPM2_CC_Shutdown;
inline constexpr std::uint32_t kStirRandom = TPM2_CC_StirRandom;
inline constexpr std::uint32_t kSequenceUpdate = TPM2_CC_SequenceUpdate;
inline constexpr std::uint32_t kSequenceComplete = TPM2_CC_SequenceComplete;
inline constexpr std::uint32_t kEventSequenceComplete = TPM2_CC_EventSequenceComplete;
inline constexpr std::uint32_t kCreate = TPM2_CC_Create;
inline constexpr std::uint32_t kHash = TPM2_CC_Hash;
inline constexpr std::uint32_t kHmacStart = TPM2_CC_HMAC_Start;
inline constexpr std::uint32_t kImport = TPM2_CC_Import;
inline constexpr std::uint32_t kLoad = TPM2_CC_Load;
inline constexpr std::uint32_t kSign = TPM2_CC_Sign;
inline constexpr std::uint32_t kUnseal = TPM2_CC_Unseal;
inline constexpr std::uint32_t kNvRead = TPM2_CC_NV_Read;
inline constexpr std::uint32_t kNvWrite = TPM2_CC_NV_Write;
inline constexpr std::uint32_t kNvIncrement = TPM2_CC_NV_Increment;
inline constexpr std::uint32_t kNvSetBits = TPM2_CC_NV_SetBits;
inline constexpr std::uint32_t kNvExtend = TPM2_CC_NV_Extend;
inline constexpr std::uint32_t kNvWriteLock = TPM2_CC_NV_WriteLock;
inline constexpr std::uint32_t kNvReadLock = TPM2_CC_NV_ReadLock;
inline constexpr std::uint32_t kClockSet = TPM2_CC_ClockSet;
inline constexpr std::uint32_t kContextLoad = TPM2_CC_ContextLoad;
inline constexpr std::uint32_t kContextSave = TPM2_CC_ContextSave;
inline constexpr std::uint32_t kFlushContext = TPM2_CC_FlushContext;
inline constexpr std::uint32_t kLoadExternal = TPM2_CC_LoadExternal;
inline constexpr std::uint32_t kReadPublic = TPM2_CC_ReadPublic;
inline constexpr std::uint32_t kStartAuthSession = TPM2_CC_StartAuthSession;
inline constexpr std::uint32_t kGetCapability = TPM2_CC_GetCapability;
inline constexpr std::uint32_t kGetRandom = TPM2_CC_GetRandom;
inline constexpr std::uint32_t kGetTestResult = TPM2_CC_GetTestResult;
inline constexpr std::uint32_t kPcrRead = TPM2_CC_PCR_Read;
inline constexpr std::uint32_t kReadClock = TPM2_CC_ReadClock;
inline constexpr std::uint32_t kHashSequenceStart = TPM2_CC_HashSequenceStart;
inline constexpr std::uint32_t kCreateLoaded = TPM2_CC_CreateLoaded;
inline constexpr std::uint32_t kFirst = TPM2_CC_FIRST;

// Assigned by revisions of the library that are newer than tpm2-tss 3.2.
inline constexpr std::uint32_t kEccEncrypt = 0x199;
inline constexpr std::uint32_t kEccDecrypt = 0x19A;
inline constexpr std::uint32_t kPolicyCapability = 0x19B;
inline constexpr std::uint32_t kPolicyParameters = 0x19C;
inline constexpr std::uint32_t kNvDefineSpace2 = 0x19D;
inline constexpr std::uint32_t kNvReadPublic2 = 0x19E;
inline constexpr std::uint32_t kSetCapability = 0x19F;
inline constexpr std::uint32_t kReadOnlyControl = 0x1A0;
inline constexpr std::uint32_t kPolicyTransportSpdm = 0x1A1;
// The last one that was assigned when this was written.
inline constexpr std::uint32_t kLast = 0x1A6;

// Set in the codes of vendor commands.
inline constexpr std::uint32_t kVendorBit = TPMA_CC_V;
}  // namespace cc

// Part 2, "TPM_HT": the most significant byte of a handle.
enum class HandleType : std::uint8_t {
  Pcr = TPM2_HT_PCR,
  NvIndex = TPM2_HT_NV_INDEX,
  HmacSession = TPM2_HT_HMAC_SESSION,      // in GetCapability: every loaded session
  PolicySession = TPM2_HT_POLICY_SESSION,  // in GetCapability: every saved session
  Permanent = TPM2_HT_PERMANENT,
  Transient = TPM2_HT_TRANSIENT,
  Persistent = TPM2_HT_PERSISTENT,
};

constexpr HandleType handle_type(std::uint32_t handle) {
  return static_cast<HandleType>(handle >> TPM2_HR_SHIFT);
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
  return handle & TPM2_HR_HANDLE_MASK;
}
// The other part.
constexpr std::uint32_t handle_range(std::uint32_t handle) {
  return handle & TPM2_HR_RANGE_MASK;
}

inline constexpr std::uint32_t kTransientFirst = TPM2_TRANSIENT_FIRST;
inline constexpr std::uint32_t kPersistentFirst = TPM2_PERSISTENT_FIRST;
inline constexpr std::uint32_t kNvIndexFirst = TPM2_NV_INDEX_FIRST;
inline constexpr std::uint32_t kLoadedSessionFirst = TPM2_HMAC_SESSION_FIRST;
inline constexpr std::uint32_t kSavedSessionFirst = TPM2_POLICY_SESSION_FIRST;
inline constexpr std::uint32_t kPasswordSession = TPM2_RH_PW;

// Part 2, "TPM_RH": the hierarchies an object can belong to, and who else may authorize.
inline constexpr std::uint32_t kRhOwner = TPM2_RH_OWNER;
inline constexpr std::uint32_t kRhNull = TPM2_RH_NULL;
inline constexpr std::uint32_t kRhLockout = TPM2_RH_LOCKOUT;
inline constexpr std::uint32_t kRhEndorsement = TPM2_RH_ENDORSEMENT;
inline constexpr std::uint32_t kRhPlatform = TPM2_RH_PLATFORM;
// The same hierarchies, limited to a firmware or to its version (Part 2, "TPM_RH", of revisions
// that are newer than tpm2-tss 3.2): each is authorized as the one that it is part of. The second
// have the version in their last two bytes.
inline constexpr std::uint32_t kRhFirmwareLimited = 0x40000140;
inline constexpr std::uint32_t kRhVersionLimitedFirst = 0x40010000;
inline constexpr std::uint32_t kRhVersionLimitedLast = 0x4004FFFF;

// The hierarchy that `handle` is, or is part of; the handle itself when it is none.
constexpr std::uint32_t hierarchy_of(std::uint32_t handle) {
  constexpr std::uint32_t kParts[] = {kRhOwner, kRhEndorsement, kRhPlatform, kRhNull};
  if (handle >= kRhFirmwareLimited && handle < kRhFirmwareLimited + 4) {
    return kParts[handle - kRhFirmwareLimited];
  }
  if (handle >= kRhVersionLimitedFirst && handle <= kRhVersionLimitedLast) {
    return kParts[(handle - kRhVersionLimitedFirst) >> 16];
  }
  return handle;
}

// Part 2, "TPMI_DH_SAVED": what kind of object a saved context holds. tpm2-tss has no names for
// them.
inline constexpr std::uint32_t kSavedObject = TPM2_HR_TRANSIENT;
inline constexpr std::uint32_t kSavedSequence = TPM2_HR_TRANSIENT + 1;
inline constexpr std::uint32_t kSavedStClearObject = TPM2_HR_TRANSIENT + 2;

// Part 2, "TPM_SU".
inline constexpr std::uint16_t kStartupClear = TPM2_SU_CLEAR;
inline constexpr std::uint16_t kStartupState = TPM2_SU_STATE;

// Part 2, "TPMA_SESSION".
inline constexpr std::uint8_t kContinueSession = TPMA_SESSION_CONTINUESESSION;

// Part 2, "TPM_CAP".
namespace cap {
inline constexpr std::uint32_t kAlgorithms = TPM2_CAP_ALGS;
inline constexpr std::uint32_t kHandles = TPM2_CAP_HANDLES;
inline constexpr std::uint32_t kCommands = TPM2_CAP_COMMANDS;
inline constexpr std::uint32_t kPcrs = TPM2_CAP_PCRS;
inline constexpr std::uint32_t kProperties = TPM2_CAP_TPM_PROPERTIES;
inline constexpr std::uint32_t kPcrProperties = TPM2_CAP_PCR_PROPERTIES;
inline constexpr std::uint32_t kEccCurves = TPM2_CAP_ECC_CURVES;
}  // namespace cap

// Part 2, "TPM_PT".
namespace pt {
inline constexpr std::uint32_t kFixed = TPM2_PT_FIXED;
inline constexpr std::uint32_t kRevision = TPM2_PT_REVISION;
inline constexpr std::uint32_t kManufacturer = TPM2_PT_MANUFACTURER;
inline constexpr std::uint32_t kHrTransientMin = TPM2_PT_HR_TRANSIENT_MIN;
inline constexpr std::uint32_t kHrLoadedMin = TPM2_PT_HR_LOADED_MIN;
inline constexpr std::uint32_t kActiveSessionsMax = TPM2_PT_ACTIVE_SESSIONS_MAX;
inline constexpr std::uint32_t kContextGapMax = TPM2_PT_CONTEXT_GAP_MAX;
inline constexpr std::uint32_t kMaxCommandSize = TPM2_PT_MAX_COMMAND_SIZE;
inline constexpr std::uint32_t kMaxResponseSize = TPM2_PT_MAX_RESPONSE_SIZE;
inline constexpr std::uint32_t kVariable = TPM2_PT_VAR;
inline constexpr std::uint32_t kStartupClear = TPM2_PT_STARTUP_CLEAR;
inline constexpr std::uint32_t kHrLoaded = TPM2_PT_HR_LOADED;
inline constexpr std::uint32_t kHrLoadedAvail = TPM2_PT_HR_LOADED_AVAIL;
inline constexpr std::uint32_t kHrActive = TPM2_PT_HR_ACTIVE;
inline constexpr std::uint32_t kHrActiveAvail = TPM2_PT_HR_ACTIVE_AVAIL;
inline constexpr std::uint32_t kHrTransientAvail = TPM2_PT_HR_TRANSIENT_AVAIL;
inline constexpr std::uint32_t kLockoutCounter = TPM2_PT_LOCKOUT_COUNTER;
inline constexpr std::uint32_t kMaxAuthFail = TPM2_PT_MAX_AUTH_FAIL;
inline constexpr std::uint32_t kLockoutInterval = TPM2_PT_LOCKOUT_INTERVAL;
}  // namespace pt

}  // namespace tbs::tpm
