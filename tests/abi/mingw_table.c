/* What tbs.h promises about numbers and layouts, as a table in a section of its own. The same file
 * is compiled with our headers and with those of mingw-w64, and the two tables are compared: no
 * program has to run. What only newer headers have stands behind a condition. */
/* clang-format off */
#include <stddef.h>
#include <windows.h>
#include <tbs.h>
/* clang-format on */

struct entry {
  char name[60]; /* 64 bytes in all, a multiple of any alignment */
  UINT32 value;
};

#define TABLE __attribute__((section(".tbsabi"), used)) static const struct entry
#define VALUE(name) TABLE entry_##name = {#name, (UINT32)(name)}
#define SIZE(type) TABLE size_##type = {"sizeof " #type, (UINT32)sizeof(type)}
#define SIGNED(type) TABLE signed_##type = {"signed " #type, (UINT32)((type) - 1 < 1)}
#define OFFSET(type, field) \
  TABLE offset_##type##_##field = {#type "." #field, (UINT32)offsetof(type, field)}

SIZE(BYTE);
SIZE(UINT32);
SIZE(INT32);
SIZE(UINT64);
SIZE(BOOL);
SIZE(HRESULT);
SIZE(WCHAR);
SIZE(DWORD);
SIZE(LONG);
SIZE(ULONG);
SIZE(WORD);
SIZE(PVOID);
SIZE(TBS_RESULT);
SIZE(TBS_HCONTEXT);
SIZE(TBS_COMMAND_LOCALITY);
SIZE(TBS_COMMAND_PRIORITY);
SIGNED(BYTE);
SIGNED(UINT32);
SIGNED(INT32);
SIGNED(BOOL);
SIGNED(HRESULT);
SIGNED(DWORD);
SIGNED(LONG);
SIGNED(TBS_RESULT);
SIGNED(WCHAR);

SIZE(TBS_CONTEXT_PARAMS);
OFFSET(TBS_CONTEXT_PARAMS, version);
#ifdef TBS_CONTEXT_VERSION_TWO
SIZE(TBS_CONTEXT_PARAMS2);
OFFSET(TBS_CONTEXT_PARAMS2, version);
OFFSET(TBS_CONTEXT_PARAMS2, asUINT32);
#endif
#ifdef TPM_VERSION_20
SIZE(TPM_DEVICE_INFO);
OFFSET(TPM_DEVICE_INFO, structVersion);
OFFSET(TPM_DEVICE_INFO, tpmVersion);
OFFSET(TPM_DEVICE_INFO, tpmInterfaceType);
OFFSET(TPM_DEVICE_INFO, tpmImpRevision);
#endif

VALUE(TBS_COMMAND_LOCALITY_ZERO);
VALUE(TBS_COMMAND_LOCALITY_ONE);
VALUE(TBS_COMMAND_LOCALITY_TWO);
VALUE(TBS_COMMAND_LOCALITY_THREE);
VALUE(TBS_COMMAND_LOCALITY_FOUR);
VALUE(TBS_COMMAND_PRIORITY_LOW);
VALUE(TBS_COMMAND_PRIORITY_NORMAL);
VALUE(TBS_COMMAND_PRIORITY_HIGH);
VALUE(TBS_COMMAND_PRIORITY_SYSTEM);
VALUE(TBS_COMMAND_PRIORITY_MAX);

/* The macros that both headers have: mingw_test.py writes this file. */
#include "macros.h"

/* The functions take what the documentation says; nothing of this is linked. */
#define FUNCTION(name, result, parameters)                   \
  extern result(WINAPI* const pointer_to_##name) parameters; \
  result(WINAPI* const pointer_to_##name) parameters = name

FUNCTION(Tbsi_Context_Create, TBS_RESULT, (const TBS_CONTEXT_PARAMS*, TBS_HCONTEXT*));
FUNCTION(Tbsip_Context_Close, TBS_RESULT, (TBS_HCONTEXT));
FUNCTION(Tbsip_Cancel_Commands, TBS_RESULT, (TBS_HCONTEXT));
FUNCTION(Tbsip_Submit_Command, TBS_RESULT,
         (TBS_HCONTEXT, TBS_COMMAND_LOCALITY, TBS_COMMAND_PRIORITY, const BYTE*, UINT32, BYTE*,
          UINT32*));
FUNCTION(Tbsi_Physical_Presence_Command, TBS_RESULT,
         (TBS_HCONTEXT, const BYTE*, UINT32, BYTE*, UINT32*));
FUNCTION(Tbsi_Get_TCG_Log, TBS_RESULT, (TBS_HCONTEXT, BYTE*, UINT32*));
