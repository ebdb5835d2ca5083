"""A client of tbsd written from docs/protocol.md alone: it shares no code with tbsctl or libtbs."""

import socket
import struct

HELLO, SUBMIT = 0x0001, 0x0002
HELLO_REPLY, RESULT = 0x8001, 0x8002
CONTEXT = 1
WANT_TPM12, WANT_TPM20 = 2, 4

SUCCESS = 0
NOTHING = 10  # bytes of a response that has but its header
COMMAND_CANCELED = 0x8028400D


class Client:
    """One connection: a context that can have commands outstanding."""

    def __init__(self, path, wanted=WANT_TPM12 | WANT_TPM20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.last_id = 0
        self._send(HELLO, struct.pack("<HHIII", 1, 1, CONTEXT, wanted, 0))
        kind, _, payload = self._receive()
        assert kind == HELLO_REPLY, hex(kind)
        self.status, _, self.window, self.number, _, _ = struct.unpack("<IHHQII", payload)

    def close(self):
        self.socket.close()

    def begin(self, command, priority=200):
        """Sends a command; returns its request id."""
        return self._send(SUBMIT, struct.pack("<II", 0, priority) + command)

    def result(self):
        """The next result: (request id, status, response)."""
        kind, request, payload = self._receive()
        assert kind == RESULT, hex(kind)
        return request, struct.unpack_from("<I", payload)[0], payload[4:]

    def _send(self, kind, payload):
        self.last_id += 1
        self.socket.sendall(struct.pack("<HHIQ", 1, kind, len(payload), self.last_id) + payload)
        return self.last_id

    def _receive(self):
        version, kind, length, request = struct.unpack("<HHIQ", self._exactly(16))
        assert version == 1
        return kind, request, self._exactly(length)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError("tbsd closed the connection")
            data += piece
        return data


def get_random(count):
    return struct.pack(">HIIH", 0x8001, 12, 0x17B, count)


def hash_sequence_start():
    return struct.pack(">HIIHH", 0x8001, 14, 0x186, 0, 0x000B)


def start_session():
    """TPM2_StartAuthSession of an HMAC session, unbound and unsalted."""
    body = struct.pack(">II", 0x40000007, 0x40000007) + struct.pack(">H", 16) + bytes(16)
    body += struct.pack(">HBHH", 0, 0, 0x0010, 0x000B)
    return struct.pack(">HII", 0x8001, 10 + len(body), 0x176) + body


def flush_context(handle):
    return struct.pack(">HII", 0x8001, 14, 0x165) + handle


def create_rsa_key(unique):
    """TPM2_CreatePrimary of an RSA-2048 key in the null hierarchy: takes a while."""
    authorization = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
    sensitive = struct.pack(">HHH", 4, 0, 0)
    public = struct.pack(">HHIH", 0x0001, 0x000B, 0x00030472, 0)
    public += struct.pack(">HHHHHI", 0x0006, 128, 0x0043, 0x0010, 2048, 0)
    public += struct.pack(">H", 256) + struct.pack(">I", unique) * 64
    body = struct.pack(">I", 0x40000007) + authorization + sensitive
    body += struct.pack(">H", len(public)) + public + struct.pack(">HI", 0, 0)
    return struct.pack(">HII", 0x8002, 10 + len(body), 0x131) + body
