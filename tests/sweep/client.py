"""A client of tbsd by libtbs, in this process. What is answered is checked: a wrong answer is a Wrong, a refusal a
Refused with its code."""

import ctypes
import os

OWNER, PASSWORD = 0x40000001, 0x40000009
CREATE_PRIMARY, EVICT_CONTROL, NV_DEFINE_SPACE, NV_UNDEFINE_SPACE = 0x131, 0x120, 0x12A, 0x122
NV_INCREMENT, NV_READ, GET_RANDOM, READ_PUBLIC = 0x134, 0x14E, 0x17B, 0x173
# TPMA_NV_OWNERWRITE, AUTHREAD, OWNERREAD, NO_DA, and the type of a counter
COUNTER = 0x2 | 0x40000 | 0x20000 | 0x2000000 | 0x10
ECC_KEY = bytes.fromhex("0023000b00030472000000060080004300100003" "0010" "0000" "0000")


class Wrong(Exception):
    """An answer that nobody may get."""


class Refused(Exception):
    def __init__(self, what, code, name):
        super().__init__(f"{what}: {name} (0x{code:x})")
        self.code = code


def sized(data):
    return len(data).to_bytes(2, "big") + data


def words(*values):
    return b"".join(value.to_bytes(4, "big") for value in values)


def command(code, handles=(), parameters=b"", authorizations=0):
    body = words(*handles)
    if authorizations:
        area = (words(PASSWORD) + bytes(5)) * authorizations
        body += words(len(area)) + area
    return (b"\x80\x02" if authorizations else b"\x80\x01") + words(10 + len(body) + len(parameters), code) + \
        body + parameters


class Library:
    """libtbs, with a socket of our own."""

    def __init__(self, path, socket):
        self.functions = ctypes.CDLL(path)
        self.functions.Tbsx_Result_Name.restype = ctypes.c_char_p
        self.functions.Tbsx_Set_Socket.argtypes = [ctypes.c_char_p]
        self.functions.Tbsx_Set_Socket(socket.encode())

    def check(self, what, result):
        if result == 0:
            return
        name = self.functions.Tbsx_Result_Name(result & 0xFFFFFFFF).decode()
        if not name.startswith("TBS"):
            raise Wrong(f"{what}: {result & 0xFFFFFFFF:#x} is no return code")
        raise Refused(what, result & 0xFFFFFFFF, name)


class Context:
    """It has to be closed."""

    def __init__(self, library):
        self._library, self._handle = library, ctypes.c_void_p()
        parameters = (ctypes.c_uint32 * 2)(2, 4)
        library.check("Tbsi_Context_Create",
                      library.functions.Tbsi_Context_Create(parameters, ctypes.byref(self._handle)))

    def close(self):
        self._library.check("Tbsip_Context_Close", self._library.functions.Tbsip_Context_Close(self._handle))

    def send(self, request):
        """The response code and what is behind it."""
        room, size = ctypes.create_string_buffer(4096), ctypes.c_uint32(4096)
        self._library.check("Tbsip_Submit_Command", self._library.functions.Tbsip_Submit_Command(
            self._handle, 0, 200, request, len(request), room, ctypes.byref(size)))
        response = room.raw[:size.value]
        if len(response) < 10 or int.from_bytes(response[2:6], "big") != len(response):
            raise Wrong(f"a response of {len(response)} bytes: {response[:10].hex()}")
        return int.from_bytes(response[6:10], "big"), response[10:]

    def run(self, request):
        """What is behind the response code of a command that succeeds."""
        code, rest = self.send(request)
        if code != 0:
            raise Refused(f"command {int.from_bytes(request[6:10], 'big'):#x}", code, "of the TPM")
        return rest

    def random(self, count=16):
        rest = self.run(command(GET_RANDOM, parameters=count.to_bytes(2, "big")))
        if rest[:2] != count.to_bytes(2, "big") or len(rest) != 2 + count:
            raise Wrong(f"{count} random bytes are {rest.hex()}")

    def make_key(self):
        """A key of the owner: its handle, and its public part."""
        rest = self.run(command(CREATE_PRIMARY, [OWNER], sized(bytes(4)) + sized(ECC_KEY) + bytes(6), 1))
        size = int.from_bytes(rest[8:10], "big")
        return int.from_bytes(rest[:4], "big"), rest[10:10 + size]

    def check_key(self, handle, public):
        rest = self.run(command(READ_PUBLIC, [handle]))
        if rest[2:2 + len(public)] != public:
            raise Wrong("another key has this handle")

    def define_counter(self, index):
        public = words(index) + b"\x00\x0b" + words(COUNTER) + sized(b"") + b"\x00\x08"
        self.run(command(NV_DEFINE_SPACE, [OWNER], sized(b"") + sized(public), 1))

    def increment(self, index):
        self.run(command(NV_INCREMENT, [OWNER, index], authorizations=1))

    def read_counter(self, index):
        rest = self.run(command(NV_READ, [OWNER, index], b"\x00\x08\x00\x00", 1))
        return int.from_bytes(rest[6:14], "big")

    def undefine(self, index):
        self.run(command(NV_UNDEFINE_SPACE, [OWNER, index], authorizations=1))


def descriptors():
    return len(os.listdir("/proc/self/fd"))
