// What usually causes the codes of TPM 2.0, and what to do.

#include <array>

#include "client/tbsctl/response_code/rc_advice.h"
#include "proto/tpm/response_code.h"
namespace tbs::ctl {
namespace {

constexpr std::array kTpm20Advice = {
    RcAdvice{
        TPM2_RC_ASYMMETRIC,
        "a template or scheme names an algorithm that this TPM has not, or not with this key size",
        "see what it has: tpm2_getcap algorithms"},
    RcAdvice{
        TPM2_RC_ATTRIBUTES,
        "attributes of the template or NV index that exclude each other (restricted with sign and "
        "decrypt, for instance), a key that is not for this use, or attributes of a session that "
        "the command does not allow",
        "compare the attributes with those that the command asks for: tpm2_readpublic shows them"},
    RcAdvice{TPM2_RC_HASH,
             "SHA-1 or a large hash on a TPM that has switched it off, or a hash other than the "
             "one that the key or PCR bank has",
             "use SHA-256, or the bank that tbsctl pcr shows"},
    RcAdvice{TPM2_RC_VALUE,
             "a handle, number or structure that this command does not take at this place; often "
             "an object that was flushed or never loaded, or data longer than the key's modulus",
             "look at what stands there: tbsctl explain with the command in hexadecimal"},
    RcAdvice{TPM2_RC_HIERARCHY,
             "a hierarchy that was switched off at boot (platform, or owner by the firmware), or "
             "an object that belongs to another one",
             "use the owner hierarchy; tpm2_getcap properties-variable shows which are on"},
    RcAdvice{TPM2_RC_KEY_SIZE, "RSA 3072 or 4096, or AES 256, on a TPM that has them not",
             "use RSA 2048, ECC P-256 or AES 128; tpm2_testparms tells without making the key"},
    RcAdvice{TPM2_RC_MGF, "a mask generation function that is not MGF1",
             "use OAEP or PSS as they are usual"},
    RcAdvice{TPM2_RC_MODE,
             "a cipher mode that this TPM has not, for a storage key any other than CFB",
             "use CFB"},
    RcAdvice{
        TPM2_RC_TYPE,
        "a key of another type than the command works with, RSA for an ECDH command for instance",
        "use a key of the right type"},
    RcAdvice{TPM2_RC_HANDLE,
             "an object, session or NV index that does not exist (any more): flushed, from before "
             "a restart, or of another connection, since each program sees its own handles alone",
             "load or define it again on this connection; tpm2_getcap handles-nv-index and "
             "handles-persistent list what is there"},
    RcAdvice{TPM2_RC_KDF, "a key derivation function that this TPM has not",
             "leave it at TPM_ALG_NULL in templates"},
    RcAdvice{TPM2_RC_RANGE,
             "a number beyond what the TPM takes: a persistent handle outside of 0x81000000 to "
             "0x81FFFFFF (owner: below 0x81800000), an offset, a count",
             "use a number inside of the range"},
    RcAdvice{TPM2_RC_AUTH_FAIL, "a wrong password or authorization value, or an HMAC made with one",
             "use the right value; each failure brings the lockout nearer: tbsctl lockout shows "
             "how near"},
    RcAdvice{TPM2_RC_NONCE,
             "a nonce that is too short or too long, or a session that two programs use at once",
             "let the library roll the nonces, and use a session in one thread alone"},
    RcAdvice{TPM2_RC_PP, "a command that somebody at the machine must confirm",
             "assert physical presence, by the firmware's setup or tbsctl ppi"},
    RcAdvice{TPM2_RC_SCHEME,
             "a signature or encryption scheme that is not the key's own, or none where the key "
             "has none",
             "name the scheme that the key was made with, or TPM_ALG_NULL to take the key's"},
    RcAdvice{TPM2_RC_SIZE,
             "a buffer longer or shorter than its type allows, an authorization value longer than "
             "the hash, or a wrong size in front of a structure",
             "check the sizes: tbsctl explain with the command in hexadecimal shows them"},
    RcAdvice{TPM2_RC_SYMMETRIC,
             "a storage key or session without the symmetric algorithm that it needs, or one that "
             "this TPM has not",
             "use AES 128 CFB"},
    RcAdvice{TPM2_RC_TAG, "a ticket or structure of another kind than the command takes",
             "use the ticket that the TPM gave for this; where none is needed, an empty one of the "
             "right kind"},
    RcAdvice{TPM2_RC_SELECTOR, "a structure whose type does not fit what follows",
             "make the structure anew with the library's own functions"},
    RcAdvice{TPM2_RC_INSUFFICIENT, "a command that was cut off, or sizes in it that do not fit",
             "compare with the layout: tbsctl explain with the command in hexadecimal"},
    RcAdvice{
        TPM2_RC_SIGNATURE,
        "data, key and signature that do not belong together, or a digest made with another hash",
        "check which key has signed, and with which hash"},
    RcAdvice{
        TPM2_RC_KEY,
        "a key of another kind than the command takes, or a public part that contradicts itself",
        "look at the key: tpm2_readpublic"},
    RcAdvice{TPM2_RC_POLICY_FAIL,
             "a PCR that has changed (an update of firmware, kernel or boot loader), a wrong order "
             "of the policy commands, or another policy than the object was made with",
             "tbsctl log shows which PCR is not what the event log gives; replay the policy step "
             "by step with tpm2_policy... and compare the digest"},
    RcAdvice{
        TPM2_RC_INTEGRITY,
        "a private part, context or credential of another parent, another TPM, or from before a "
        "TPM2_Clear; a damaged file",
        "load it under the parent that it was made under; what was made before a clear is lost"},
    RcAdvice{TPM2_RC_TICKET, "a ticket from before a reset of the TPM, or for other data",
             "get a new ticket"},
    RcAdvice{TPM2_RC_RESERVED_BITS,
             "a newer program on an older TPM, or attributes that were not initialized",
             "set the reserved bits to zero"},
    RcAdvice{TPM2_RC_BAD_AUTH,
             "a wrong password or authorization value for something that is not protected against "
             "guessing",
             "use the right value; this failure is not counted"},
    RcAdvice{
        TPM2_RC_EXPIRED,
        "a policy or its ticket with a time limit that has passed, or a clock that was set back",
        "authorize anew"},
    RcAdvice{TPM2_RC_POLICY_CC,
             "a policy that was made for another command (TPM2_PolicyCommandCode)",
             "use the command that the policy names"},
    RcAdvice{TPM2_RC_BINDING, "public and private files that were mixed up",
             "load the two files that were made together"},
    RcAdvice{TPM2_RC_CURVE, "an elliptic curve that this TPM has not",
             "use P-256; tpm2_getcap ecc-curves lists what it has"},
    RcAdvice{TPM2_RC_ECC_POINT, "coordinates of another curve, or not a point at all",
             "check the curve and the bytes of the point"},
    RcAdvice{tpm::rc::kFwLimited,
             "a hierarchy or key that belongs to one version of the TPM's firmware",
             "use the hierarchy without this limit"},
    RcAdvice{tpm::rc::kSvnLimited,
             "a hierarchy or key that needs a firmware with another security version number",
             "use the hierarchy without this limit, or that firmware"},
    RcAdvice{tpm::rc::kChannel, "a policy that asks for an encrypted bus (SPDM)",
             "use the machine's own way to the TPM, with the channel set up"},
    RcAdvice{tpm::rc::kChannelKey, "a channel to the TPM that was set up with other keys",
             "set it up with the keys that the policy names"},
    RcAdvice{TPM2_RC_INITIALIZE,
             "a TPM that has had a reset and no TPM2_Startup yet, as after a sleep that the "
             "firmware has not handled; or a second TPM2_Startup, which a shared TPM answers so",
             "behind tbsd nothing: it starts the TPM; a client need not send TPM2_Startup, "
             "and one that does goes on after this answer"},
    RcAdvice{TPM2_RC_FAILURE, "a self-test that failed: a defect, or a fault of the firmware",
             "restart the machine; if it comes again, update the TPM's firmware or replace it; "
             "tpm2_gettestresult may say more"},
    RcAdvice{TPM2_RC_SEQUENCE,
             "a hash or HMAC sequence that is used for something else, or with the wrong kind of "
             "completion",
             "complete an event sequence with TPM2_EventSequenceComplete, others with "
             "TPM2_SequenceComplete"},
    RcAdvice{TPM2_RC_PRIVATE, "a private part in a format that the TPM does not know",
             "make or import the key anew"},
    RcAdvice{TPM2_RC_HMAC, "an HMAC key or sequence that is not in order", "make it anew"},
    RcAdvice{TPM2_RC_DISABLED,
             "a command that firmware or the platform has switched off, TPM2_Clear after "
             "TPM2_ClearControl for instance",
             "switch it on with the platform's or the lockout's authorization, as a rule in the "
             "firmware's setup"},
    RcAdvice{TPM2_RC_EXCLUSIVE,
             "another command came between those of an exclusive audit session, as happens on a "
             "TPM that is shared",
             "do not ask for exclusive audit sessions on a shared TPM"},
    RcAdvice{TPM2_RC_AUTH_TYPE,
             "a policy session where the object wants a password or HMAC, or the other way round",
             "look at userWithAuth and adminWithPolicy of the object: tpm2_readpublic"},
    RcAdvice{TPM2_RC_AUTH_MISSING,
             "a command that was sent without its authorization area, or with too few sessions",
             "give an authorization for each handle that needs one; tbsctl explain with the "
             "command in hexadecimal says for which"},
    RcAdvice{TPM2_RC_POLICY,
             "a policy command that does not fit the session, or a policy digest that is not one",
             "begin the policy anew with TPM2_PolicyRestart"},
    RcAdvice{TPM2_RC_PCR, "PCRs that do not hold what the command expects",
             "compare with tbsctl pcr and tbsctl log"},
    RcAdvice{TPM2_RC_PCR_CHANGED,
             "a PCR was extended between the policy check and the use of the session",
             "do the policy again, right before the use"},
    RcAdvice{TPM2_RC_UPGRADE,
             "the TPM waits for a new firmware, or gets one without having been told",
             "end the update of its firmware"},
    RcAdvice{TPM2_RC_TOO_MANY_CONTEXTS,
             "the counter of saved contexts has come to its end, after a very long time",
             "restart the machine"},
    RcAdvice{TPM2_RC_AUTH_UNAVAILABLE,
             "userWithAuth or adminWithPolicy of the object, or the attributes of the NV index, "
             "exclude this kind of authorization",
             "use a policy session where the object wants one; tpm2_readpublic and "
             "tpm2_nvreadpublic show it"},
    RcAdvice{
        TPM2_RC_REBOOT,
        "a state that only a reset ends, after TPM2_SetAlgorithmSet, an update or a PCR allocation",
        "restart the machine"},
    RcAdvice{TPM2_RC_UNBALANCED, "a template whose hash is too weak for its symmetric key",
             "use SHA-256 with AES 128"},
    RcAdvice{
        TPM2_RC_COMMAND_SIZE, "a size in the header that is not the number of bytes that were sent",
        "count again: tbsctl explain with the command in hexadecimal says by how much it differs"},
    RcAdvice{TPM2_RC_COMMAND_CODE,
             "a command that this TPM has not (an older revision, or one left out), a TPM 1.2 "
             "command, or one that tbsd's rules block",
             "tpm2_getcap commands lists what it has; tbsctl policy explain says whether a rule "
             "blocks it"},
    RcAdvice{TPM2_RC_AUTHSIZE, "an authorization area whose size does not fit its sessions",
             "check the four bytes in front of the sessions: tbsctl explain with the command in "
             "hexadecimal"},
    RcAdvice{TPM2_RC_AUTH_CONTEXT,
             "a session with a command that takes none, TPM2_ContextSave for instance",
             "send it without sessions"},
    RcAdvice{TPM2_RC_NV_RANGE, "reading or writing past the end of an NV index",
             "see its size: tpm2_nvreadpublic"},
    RcAdvice{TPM2_RC_NV_SIZE,
             "an NV index that is larger than this TPM makes, as a rule 2048 bytes",
             "make several smaller ones"},
    RcAdvice{TPM2_RC_NV_LOCKED, "an index that was locked until the next start, or for ever",
             "restart the machine for a lock until then; a lock for ever stays until the index is "
             "undefined"},
    RcAdvice{
        TPM2_RC_NV_AUTHORIZATION,
        "the attributes of the index do not give this authorization the right to read or write",
        "tpm2_nvreadpublic shows who may; authorize as owner or by the index itself"},
    RcAdvice{TPM2_RC_NV_UNINITIALIZED,
             "an index that was defined and never written; a saved state that does not exist",
             "write it first"},
    RcAdvice{TPM2_RC_NV_SPACE, "NV memory that is full, or too many persistent objects or counters",
             "undefine what nobody needs: tpm2_getcap handles-nv-index and handles-persistent list "
             "it; tbsctl limits says who has how much"},
    RcAdvice{TPM2_RC_NV_DEFINED, "an index or a persistent handle that is in use already",
             "choose another number, or remove the old one first"},
    RcAdvice{TPM2_RC_BAD_CONTEXT,
             "a saved context from before a reset of the TPM, of another TPM, or damaged",
             "load the object anew from its files"},
    RcAdvice{TPM2_RC_CPHASH, "a policy that was bound to other parameters",
             "do the policy with the command that is really sent"},
    RcAdvice{TPM2_RC_PARENT, "a key as parent that is no storage key (restricted and decrypt)",
             "use the storage root key or another storage key"},
    RcAdvice{TPM2_RC_NEEDS_TEST, "an algorithm that was not tested yet",
             "send TPM2_SelfTest, or try again"},
    RcAdvice{TPM2_RC_NO_RESULT,
             "an algorithm that found no answer for this input, or a value out of its range",
             "check the inputs"},
    RcAdvice{TPM2_RC_SENSITIVE,
             "a private part that is not in order once it is decrypted, as after an import with a "
             "wrong seed",
             "import it anew with the right parent and seed"},
    RcAdvice{tpm::rc::kReadOnly,
             "TPM2_ReadOnlyControl was used, by the firmware or an administrator",
             "switch it off with the platform's authorization, or restart the machine"},
    RcAdvice{TPM2_RC_CONTEXT_GAP, "a session that was saved very long ago",
             "behind tbsd it does not come up, since tbsd renews old sessions; else flush the "
             "oldest session"},
    RcAdvice{TPM2_RC_OBJECT_MEMORY,
             "three objects or so fill the TPM; a program that leaves its objects loaded, or works "
             "without a resource manager",
             "go by way of tbsd or /dev/tpmrm0; else tpm2_flushcontext -t"},
    RcAdvice{TPM2_RC_SESSION_MEMORY,
             "three sessions or so fill the TPM; sessions that nobody has ended",
             "go by way of tbsd or /dev/tpmrm0; else tpm2_flushcontext -l"},
    RcAdvice{TPM2_RC_MEMORY, "objects and sessions that fill the TPM together",
             "flush what nobody needs: tpm2_flushcontext -t, -l"},
    RcAdvice{
        TPM2_RC_SESSION_HANDLES, "as a rule 64 sessions, loaded or saved, for the whole machine",
        "end sessions: tpm2_flushcontext -s; tbsctl contexts and tbsctl limits show who has them"},
    RcAdvice{TPM2_RC_OBJECT_HANDLES,
             "no number is left for another object, or the persistent ones are all taken",
             "flush or evict an object"},
    RcAdvice{
        TPM2_RC_LOCALITY,
        "a command or PCR that only another locality may use, the operating system having 0",
        "nothing at locality 0; administrators can ask tbsd for others where the device has them"},
    RcAdvice{TPM2_RC_YIELDED, "a TPM that has put the command off", "send it again"},
    RcAdvice{TPM2_RC_CANCELED,
             "a cancel: Ctrl-C in a program, tbsctl cancel, or a program that ended",
             "send it again if it was not meant"},
    RcAdvice{TPM2_RC_TESTING, "a TPM that has just been started and still tests itself",
             "wait a moment and send it again; tbsd does that by itself"},
    RcAdvice{TPM2_RC_REFERENCE_H0,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H1,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H2,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H3,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H4,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H5,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{TPM2_RC_REFERENCE_H6,
             "an object that was flushed or never loaded, or the handle of another connection",
             "load it again on this connection"},
    RcAdvice{
        TPM2_RC_REFERENCE_S0,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S1,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S2,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S3,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S4,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S5,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_REFERENCE_S6,
        "a session that has ended: after a command without continueSession, a flush or a restart",
        "begin a new session"},
    RcAdvice{
        TPM2_RC_NV_RATE, "many writes to NV memory in a short time; the TPM protects its flash",
        "write less often, and try again after some seconds; tbsd does that by itself for a while"},
    RcAdvice{TPM2_RC_LOCKOUT,
             "wrong passwords or PINs, by whichever program, up to the TPM's limit; also a machine "
             "that was switched off at the wrong moment, which many TPMs count",
             "wait: tbsctl lockout shows when the TPM forgets a failure; or reset it with "
             "tpm2_dictionarylockout -c and the lockout authorization"},
    RcAdvice{TPM2_RC_RETRY, "a TPM that is busy with something else",
             "send it again; tbsd does that by itself"},
    RcAdvice{TPM2_RC_NV_UNAVAILABLE,
             "NV memory that is busy or failing; right after the machine has woken up",
             "try again after some seconds"},
    RcAdvice{TPM2_RC_NOT_USED, "a fault in the program that has made this code",
             "look for where it comes from"},
};

}  // namespace

std::span<const RcAdvice> tpm20_advice() {
  return kTpm20Advice;
}

}  // namespace tbs::ctl
