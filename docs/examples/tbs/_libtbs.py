"""What the package uses of libtbs, with the types that make ctypes safe: pointers are not cut to 32
bits, and return codes are not negative. Calls leave Python's lock to other threads."""

from __future__ import annotations

import ctypes
import enum
from ctypes import POINTER, c_char_p, c_int, c_int32, c_uint32, c_uint64, c_void_p
from typing import Any

SUCCESS = 0
CONTEXT_VERSION_TWO = 2
INCLUDE_TPM12 = 0x2
INCLUDE_TPM20 = 0x4
E_INSUFFICIENT_BUFFER = 0x80284005
E_COMMAND_CANCELED = 0x8028400D
E_PENDING = 0xA0284001
E_TIMED_OUT = 0xA0284002
LARGEST_BUFFER = 256 * 1024

_library = ctypes.CDLL("libtbs.so.1")


class ContextParams2(ctypes.Structure):
    _fields_ = [("version", c_uint32), ("flags", c_uint32)]


class ContextInfo(ctypes.Structure):
    """The number of a context, as `tbsctl contexts` shows it, and the longest command and response."""

    number: int
    max_command: int
    max_response: int
    _fields_ = [("number", c_uint64), ("max_command", c_uint32), ("max_response", c_uint32)]


class Priority(enum.IntEnum):
    """Names for five priorities; any other number is one, too."""

    LOW = 100
    NORMAL = 200
    HIGH = 300
    SYSTEM = 400
    MAX = 0x80000000


class Locality(enum.IntEnum):
    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4


def _declare(name: str, *arguments: Any, result: Any = c_uint32) -> Any:
    function = getattr(_library, name)
    function.restype = result
    function.argtypes = arguments
    return function


context_create = _declare("Tbsx_Context_Create", POINTER(ContextParams2), c_char_p, POINTER(c_void_p))
context_close = _declare("Tbsip_Context_Close", c_void_p)
context_info = _declare("Tbsx_Get_Context_Info", c_void_p, POINTER(ContextInfo))
submit_timeout = _declare("Tbsx_Submit_Timeout", c_void_p, c_uint32, c_uint32, c_char_p, c_uint32,
                          c_char_p, POINTER(c_uint32), c_int32)
submit_begin = _declare("Tbsx_Submit_Begin", c_void_p, c_uint32, c_uint32, c_char_p, c_uint32,
                        POINTER(c_uint64))
submit_result = _declare("Tbsx_Submit_Result", c_void_p, c_uint64, c_char_p, POINTER(c_uint32), c_int32)
cancel_commands = _declare("Tbsip_Cancel_Commands", c_void_p)
poll_descriptor = _declare("Tbsx_Get_Poll_Descriptor", c_void_p, POINTER(c_int))
cancel_descriptor = _declare("Tbsx_Get_Cancel_Descriptor", c_void_p, POINTER(c_int))
_result_name = _declare("Tbsx_Result_Name", c_uint32, result=c_char_p)
_result_text = _declare("Tbsx_Result_Text", c_uint32, result=c_char_p)


class Error(OSError):
    """A code of tbs.h or tbsx.h, its name and words for it."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.name: str = _result_name(code).decode()
        super().__init__(f"{_result_text(code).decode()} ({self.name})")

    @property
    def canceled(self) -> bool:
        """Cancelled, by this program or an administrator."""
        return self.code == E_COMMAND_CANCELED

    @property
    def timed_out(self) -> bool:
        """Given up, since there was no response in time."""
        return self.code == E_TIMED_OUT


def check(code: int) -> None:
    if code != SUCCESS:
        raise Error(code)
