// What usually causes the codes of TBS, and what to do.

#include <array>

#include "client/tbsctl/response_code/rc_advice.h"
#include "proto/service_codes.h"
#include "proto/status.h"
namespace tbs::ctl {
namespace {
using S = proto::Status;

namespace service = proto::service;

constexpr std::uint32_t number_of_status(S status) {
  return static_cast<std::uint32_t>(status);
}

constexpr std::array kServiceAdvice = {
    RcAdvice{service::kCommandBlocked,
             "a rule of the administrator, or a guard, blocks this command for this user",
             "tbsctl policy explain USER COMMAND says which rule; /etc/tbs/policy.d changes it"},
    RcAdvice{service::kInvalidHandle, "a virtual handle that the service does not know",
             "load the object again in this context"},
    RcAdvice{service::kDuplicateHandle, "a virtual handle that is in use twice",
             "send the command again"},
    RcAdvice{service::kEmbeddedCommandBlocked,
             "a command inside a transport session that may not be sent from outside of one",
             "see tbsctl policy explain"},
    RcAdvice{service::kEmbeddedCommandUnsupported,
             "a command inside a transport session that the service cannot follow",
             "send it without the transport session"},
    RcAdvice{service::kRetry, "a TPM that is busy", "send it again after a moment"},
    RcAdvice{service::kNeedsSelfTest, "a TPM that has not been tested since it was started",
             "send TPM_ContinueSelfTest, or wait for tbsd to do it"},
    RcAdvice{service::kDoingSelfTest, "a TPM that has just been started",
             "send it again after a moment"},
    RcAdvice{service::kDefendLockRunning, "too many wrong authorizations",
             "wait; tbsctl lockout shows what was counted"},
    RcAdvice{number_of_status(S::InternalError), "no memory, or a fault in tbsd or the library",
             "look into the log: journalctl -t tbsd"},
    RcAdvice{number_of_status(S::BadParameter),
             "an argument that is not allowed: a null pointer, a size that does not fit the "
             "command's header, a flag that is not known",
             "compare with the manual page of the function"},
    RcAdvice{number_of_status(S::InvalidOutputPointer), "a null pointer where the result should go",
             "give a pointer"},
    RcAdvice{number_of_status(S::InvalidContext), "a context that was closed, or never one",
             "open a context with Tbsi_Context_Create"},
    RcAdvice{number_of_status(S::InsufficientBuffer),
             "an output buffer that is smaller than the answer; the command has run",
             "give as much room as the size says that came back"},
    RcAdvice{number_of_status(S::IoError),
             "the TPM or its driver gave an error, the device was lost, or tbsd died while the "
             "command ran",
             "tbsctl status says how the device is; the command may have run"},
    RcAdvice{number_of_status(S::InvalidContextParam),
             "a version or flag that this TBS does not know",
             "open the context with version 2 and the families wanted"},
    RcAdvice{number_of_status(S::ServiceNotRunning),
             "tbsd does not run and no socket unit starts it, or it was stopped; or the socket's "
             "path is another",
             "systemctl status tbsd.socket tbsd; check TBS_SOCKET"},
    RcAdvice{number_of_status(S::TooManyContexts), "a limit of contexts, of the user or of all",
             "tbsctl contexts shows who has them, tbsctl limits how many are allowed"},
    RcAdvice{number_of_status(S::TooManyResources),
             "a limit of sessions, objects, NV memory, waiting commands or connections",
             "tbsctl limits shows which, and who is nearest to it"},
    RcAdvice{number_of_status(S::ServiceStartPending),
             "tbsd could not open its TPM so far: there is none, or another program has it",
             "tbsctl status says why"},
    RcAdvice{number_of_status(S::PpiNotSupported),
             "firmware without a physical presence interface, as in most virtual machines",
             "use the firmware's own setup"},
    RcAdvice{
        number_of_status(S::CommandCanceled),
        "a cancel by the program, by an administrator (tbsctl cancel), or the context was closed",
        "send the command again if it was not meant"},
    RcAdvice{
        number_of_status(S::BufferTooLarge),
        "a command larger than the TPM takes (4096 bytes as a rule), or a log of more than 16 MiB",
        "tbsctl info says how large commands can be"},
    RcAdvice{number_of_status(S::TpmNotFound),
             "no TPM, or one of another family than the program can use",
             "tbsctl info shows what there is"},
    RcAdvice{number_of_status(S::ServiceDisabled), "an administrator has switched the service off",
             "ask who looks after the machine"},
    RcAdvice{number_of_status(S::NoEventLog),
             "firmware without an event log, or a container that does not see it",
             "boot by UEFI; look at /sys/kernel/security/tpm0"},
    RcAdvice{number_of_status(S::AccessDenied),
             "a right that this user has not: the socket's group, a locality, a priority, what is "
             "for administrators",
             "use the administrators' socket, or let the administrator add a rule"},
    RcAdvice{number_of_status(S::ProvisioningNotAllowed), "a function that Windows alone has",
             "do without it"},
    RcAdvice{number_of_status(S::PpiFunctionUnsupported),
             "firmware that does not know this operation", "tbsctl ppi shows what it knows"},
    RcAdvice{number_of_status(S::OwnerAuthNotFound),
             "a value that the administrator has not stored in owner-auth",
             "store it, or ask for it"},
    RcAdvice{number_of_status(S::ProvisioningIncomplete), "a TPM that was not set up",
             "set it up with tpm2-tools"},
};

}  // namespace

std::span<const RcAdvice> service_advice() {
  return kServiceAdvice;
}

}  // namespace tbs::ctl
