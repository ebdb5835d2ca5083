"""In the manner of Microsoft's scripting stacks (TSS.Py, TSS.JS, TSS.Java): no types declared, the
handle an int of 32 bits, and 0 for the priority."""

import ctypes
import os
import sys

tbs = ctypes.CDLL(os.environ["LIBTBS"])


def main():
    params = (ctypes.c_int * 2)(2, 4)
    handle = ctypes.c_void_p()
    if tbs.Tbsi_Context_Create(ctypes.byref(params), ctypes.byref(handle)) != 0:
        return 1
    context = int(handle.value)
    if not 0 < context < 2**31:
        return 2
    command = bytes([0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 8])
    response = ctypes.create_string_buffer(4096)
    size = ctypes.c_int(4096)
    result = tbs.Tbsip_Submit_Command(ctypes.c_int(context), 0, 0, command, len(command), response,
                                      ctypes.byref(size))
    if result != 0 or size.value != 20:
        return 3
    return 0 if tbs.Tbsip_Context_Close(ctypes.c_int(context)) == 0 else 4


sys.exit(main())
