#include <array>

#include "client/tbsctl/response_code/rc_tables.h"

namespace tbs::ctl {
namespace {

// TCG TSS 2.0 Overview and Common Structures, "TSS2_RC layers". The Linux kernel and tbsd use 11
// for both kinds of resource manager answer, as tpm2-tss expects.
constexpr std::array kLayers = {
    RcRow{6, "FAPI", "feature API"},
    RcRow{7, "ESAPI", "enhanced system API"},
    RcRow{8, "SAPI", "system API"},
    RcRow{9, "MU", "marshalling"},
    RcRow{10, "TCTI", "TCTI"},
    RcRow{11, "RESMGR", "resource manager"},
    RcRow{12, "RESMGR", "resource manager"},
};

// The same document, "TSS2_BASE_RC".
constexpr std::array kTssBase = {
    RcRow{1, "GENERAL_FAILURE", "a failure of no particular kind"},
    RcRow{2, "NOT_IMPLEMENTED", "the function is not implemented"},
    RcRow{3, "BAD_CONTEXT", "a context structure is not valid"},
    RcRow{4, "ABI_MISMATCH", "the ABI version asked for does not match"},
    RcRow{5, "BAD_REFERENCE", "a null pointer where none is allowed"},
    RcRow{6, "INSUFFICIENT_BUFFER", "a buffer is too small"},
    RcRow{7, "BAD_SEQUENCE", "functions were called in the wrong order"},
    RcRow{8, "NO_CONNECTION", "the next lower layer cannot be reached"},
    RcRow{9, "TRY_AGAIN", "the operation timed out; call again to complete it"},
    RcRow{10, "IO_ERROR", "an input or output error"},
    RcRow{11, "BAD_VALUE", "a parameter has a bad value"},
    RcRow{12, "NOT_PERMITTED", "the operation is not permitted"},
    RcRow{13, "INVALID_SESSIONS", "the sessions do not fit the command"},
    RcRow{14, "NO_DECRYPT_PARAM", "the command has no parameter to decrypt"},
    RcRow{15, "NO_ENCRYPT_PARAM", "the command has no parameter to encrypt"},
    RcRow{16, "BAD_SIZE", "a size is not correct"},
    RcRow{17, "MALFORMED_RESPONSE", "the response is malformed"},
    RcRow{18, "INSUFFICIENT_CONTEXT", "the context is not large enough"},
    RcRow{19, "INSUFFICIENT_RESPONSE", "the response is not long enough"},
    RcRow{20, "INCOMPATIBLE_TCTI", "the TCTI version is unknown or cannot be used"},
    RcRow{21, "NOT_SUPPORTED", "the function is not supported"},
    RcRow{22, "BAD_TCTI_STRUCTURE", "the TCTI context is not valid"},
    RcRow{23, "MEMORY", "out of memory"},
};

// Microsoft's TBS return codes and what a TBS service puts in the header of a response.
constexpr std::array kService = {
    RcRow{0x80280400, "TPM_E_COMMAND_BLOCKED",
          "the command was blocked by the service and did not reach the TPM"},
    RcRow{0x80280401, "TPM_E_INVALID_HANDLE", "the handle was not found"},
    RcRow{0x80280402, "TPM_E_DUPLICATE_VHANDLE", "two handles collided; send the command again"},
    RcRow{0x80280403, "TPM_E_EMBEDDED_COMMAND_BLOCKED",
          "the command inside the transport session was blocked by the service"},
    RcRow{0x80280404, "TPM_E_EMBEDDED_COMMAND_UNSUPPORTED",
          "the command inside the transport session is not supported"},
    RcRow{0x80280800, "TPM_E_RETRY", "the TPM is busy; send the command again"},
    RcRow{0x80280801, "TPM_E_NEEDS_SELFTEST", "the full self-test has not been run"},
    RcRow{0x80280802, "TPM_E_DOING_SELFTEST", "the TPM is testing itself"},
    RcRow{0x80280803, "TPM_E_DEFEND_LOCK_RUNNING",
          "the TPM defends itself against a dictionary attack; wait for the time-out"},
};

}  // namespace

std::span<const RcRow> layer_rows() {
  return kLayers;
}
std::span<const RcRow> tss_base_rows() {
  return kTssBase;
}
std::span<const RcRow> service_rows() {
  return kService;
}

}  // namespace tbs::ctl
