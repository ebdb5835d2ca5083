/* tbslinux.dll: the functions of libtbs for programs that run under Wine.
 *
 * A Windows program calls by Microsoft's convention, libtbs is called by that of System V; types,
 * sizes and structures are the same (tests/abi compares them with the Windows headers). So each
 * function here only changes the convention. The names in tbslinux.spec are those that the program
 * sees.
 *
 * A tbs.dll of Wine's own goes before any other module of that name, so this one has another, and a
 * small native tbs.dll (tbs.def) that lies beside the program forwards to it.
 */
#include "tbs.h"

#define WINDOWS_API __attribute__((ms_abi, visibility("default")))

WINDOWS_API TBS_RESULT windows_Tbsi_Context_Create(PCTBS_CONTEXT_PARAMS params,
                                                   PTBS_HCONTEXT context) {
  return Tbsi_Context_Create(params, context);
}

WINDOWS_API TBS_RESULT windows_Tbsip_Context_Close(TBS_HCONTEXT context) {
  return Tbsip_Context_Close(context);
}

WINDOWS_API TBS_RESULT windows_Tbsip_Submit_Command(TBS_HCONTEXT context,
                                                    TBS_COMMAND_LOCALITY locality,
                                                    TBS_COMMAND_PRIORITY priority, PCBYTE command,
                                                    UINT32 command_size, PBYTE result,
                                                    PUINT32 result_size) {
  return Tbsip_Submit_Command(context, locality, priority, command, command_size, result,
                              result_size);
}

WINDOWS_API TBS_RESULT windows_Tbsip_Cancel_Commands(TBS_HCONTEXT context) {
  return Tbsip_Cancel_Commands(context);
}

WINDOWS_API TBS_RESULT windows_Tbsi_GetDeviceInfo(UINT32 size, PVOID info) {
  return Tbsi_GetDeviceInfo(size, info);
}

WINDOWS_API BOOL windows_Tbsi_Is_Tpm_Present(void) {
  return Tbsi_Is_Tpm_Present();
}

WINDOWS_API TBS_RESULT windows_Tbsi_Get_TCG_Log(TBS_HCONTEXT context, PBYTE output, PUINT32 size) {
  return Tbsi_Get_TCG_Log(context, output, size);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Get_TCG_Log_Ex(UINT32 type, PBYTE output, PUINT32 size) {
  return Tbsi_Get_TCG_Log_Ex(type, output, size);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Get_TCG_Logs(UINT32 first, PUINT32 next, PBYTE output,
                                                 UINT32 room, PUINT32 size, UINT32 flags) {
  return Tbsi_Get_TCG_Logs(first, next, output, room, size, flags);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Physical_Presence_Command(TBS_HCONTEXT context, PCBYTE input,
                                                              UINT32 input_size, PBYTE output,
                                                              PUINT32 output_size) {
  return Tbsi_Physical_Presence_Command(context, input, input_size, output, output_size);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Get_OwnerAuth(TBS_HCONTEXT context, TBS_OWNERAUTH_TYPE type,
                                                  PBYTE output, PUINT32 size) {
  return Tbsi_Get_OwnerAuth(context, type, output, size);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Revoke_Attestation(void) {
  return Tbsi_Revoke_Attestation();
}

WINDOWS_API HRESULT windows_GetDeviceID(PBYTE id, UINT32 room, PUINT32 size, BOOL* is_protected) {
  return GetDeviceID(id, room, size, is_protected);
}

WINDOWS_API HRESULT windows_GetDeviceIDString(WCHAR* id, UINT32 room, PUINT32 size,
                                              BOOL* is_protected) {
  return GetDeviceIDString(id, room, size, is_protected);
}

WINDOWS_API TBS_RESULT windows_Tbsi_Create_Windows_Key(TBS_HANDLE key) {
  return Tbsi_Create_Windows_Key(key);
}
