/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The little of Windows' winerror.h that programs for TPM Base Services use. The TBS_E_ and TPM_E_
 * codes are in tbs.h; unlike Windows' they are unsigned, which comparisons with a TBS_RESULT want.
 */
#ifndef TBS_COMPAT_WINERROR_H
#define TBS_COMPAT_WINERROR_H

#include <tbs.h>

#define S_OK ((HRESULT)0)
#define S_FALSE ((HRESULT)1)
#define E_NOTIMPL ((HRESULT)0x80004001U)
#define E_POINTER ((HRESULT)0x80004003U)
#define E_FAIL ((HRESULT)0x80004005U)
#define E_ACCESSDENIED ((HRESULT)0x80070005U)
#define E_OUTOFMEMORY ((HRESULT)0x8007000EU)
#define E_INVALIDARG ((HRESULT)0x80070057U)
#define ERROR_SUCCESS 0U

/* Bit 31 says failure, in a signed and in an unsigned variable alike. */
#define SUCCEEDED(result) ((HRESULT)(result) >= 0)
#define FAILED(result) ((HRESULT)(result) < 0)

#endif /* TBS_COMPAT_WINERROR_H */
