/* In the manner of programs that collect logs: one that takes every code but zero for a failure,
 * one that looks at the size alone, one that reads all logs at once into 256 KiB. */
/* clang-format off */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <tbs.h>
/* clang-format on */

static int by_type(UINT32* size) {
  BYTE* log;
  UINT32 again = 0;
  int good;
  *size = 0;
  if (Tbsi_Get_TCG_Log_Ex(TBS_TCGLOG_SRTM_CURRENT, NULL, size) != 0) return 1;
  (void)Tbsi_Get_TCG_Log_Ex(TBS_TCGLOG_SRTM_BOOT, NULL, &again);
  if (again != *size) return 2;
  log = malloc(*size);
  if (log == NULL) return 3;
  good = Tbsi_Get_TCG_Log_Ex(TBS_TCGLOG_SRTM_CURRENT, log, size) == 0;
  free(log);
  return good ? 0 : 4;
}

static UINT32 little_endian(const BYTE* bytes) {
  return bytes[0] | (UINT32)bytes[1] << 8 | (UINT32)bytes[2] << 16 | (UINT32)bytes[3] << 24;
}

static int all(UINT32 expected) {
  static BYTE logs[TBS_IN_OUT_BUF_SIZE_MAX];
  UINT32 size = 0;
  UINT32 at = 0;
  unsigned count = 0;
  if (Tbsi_Get_TCG_Logs(0, NULL, logs, sizeof logs, &size, TBS_GET_ALL_LOGS_FLAG) != TBS_SUCCESS)
    return 5;
  while (at + 4 <= size && little_endian(logs + at) != 0xffffffff) {
    if (little_endian(logs + at) != expected) return 6;
    at += 4 + expected;
    ++count;
  }
  return at + 4 == size && count == 1 ? 0 : 7;
}

int main(void) {
  UINT32 size = 0;
  UINT32 none = 0;
  int failed = by_type(&size);
  if (failed != 0) return failed;
  if (Tbsi_Get_TCG_Log_Ex(TBS_TCGLOG_DRTM_CURRENT, NULL, &none) != TBS_E_NO_EVENT_LOG) return 8;
  return all(size);
}
