#!/usr/bin/env python3
"""Random bytes from the TPM, with nothing but ctypes: random.py [COUNT].

Declaring the types is what makes ctypes safe: pointers are not cut to 32 bits, and return codes are
not negative."""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_uint32, c_void_p

TBS_SUCCESS = 0
TBS_CONTEXT_VERSION_TWO = 2
INCLUDE_TPM20 = 0x4
PRIORITY_NORMAL = 200

tbs = ctypes.CDLL("libtbs.so.1")


class ContextParams2(ctypes.Structure):
    _fields_ = [("version", c_uint32), ("flags", c_uint32)]


def declare(name, *arguments):
    function = getattr(tbs, name)
    function.restype = c_uint32
    function.argtypes = arguments
    return function


context_create = declare("Tbsi_Context_Create", POINTER(ContextParams2), POINTER(c_void_p))
context_close = declare("Tbsip_Context_Close", c_void_p)
submit_command = declare("Tbsip_Submit_Command", c_void_p, c_uint32, c_uint32, c_char_p, c_uint32,
                         c_char_p, POINTER(c_uint32))
result_text = tbs.Tbsx_Result_Text
result_text.restype = c_char_p
result_text.argtypes = [c_uint32]


def check(result):
    if result != TBS_SUCCESS:
        raise OSError(f"TPM: {result_text(result).decode()} ({result:#010x})")


class Context:
    """A context that is closed when its block ends."""

    def __enter__(self):
        self.handle = c_void_p()
        params = ContextParams2(TBS_CONTEXT_VERSION_TWO, INCLUDE_TPM20)
        check(context_create(byref(params), byref(self.handle)))
        return self

    def __exit__(self, *_):
        context_close(self.handle)

    def submit(self, command):
        response = ctypes.create_string_buffer(4096)
        size = c_uint32(len(response))
        check(submit_command(self.handle, 0, PRIORITY_NORMAL, command, len(command), response,
                             byref(size)))
        return response.raw[:size.value]


def get_random(context, count):
    """TPM2_GetRandom, as often as it takes."""
    data = b""
    while len(data) < count:
        wanted = min(count - len(data), 32)
        response = context.submit(b"\x80\x01\0\0\0\x0c\0\0\x01\x7b" + wanted.to_bytes(2, "big"))
        code = int.from_bytes(response[6:10], "big")
        if code != 0:
            raise OSError(f"the TPM answered {code:#010x}")
        data += response[12:]
    return data


if __name__ == "__main__":
    with Context() as tpm:
        print(get_random(tpm, int(sys.argv[1]) if len(sys.argv) > 1 else 16).hex())
