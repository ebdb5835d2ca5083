"""A daemon that means harm: it speaks the protocol of docs/protocol.md as far as it has to, and then
never answers, never ends, lies about sizes, or steers the terminal of whoever prints its texts."""

import os
import socket
import struct
import threading
import time

(HELLO, SUBMIT, DEVICE_INFO, LIST_CONTEXTS, STATUS, LIST_LIMITS, LOCKOUT_STATUS, READ_EVENTS, READ_CAPTURE, LIST_HOLDINGS,
 LIST_ACTIVITY, READ_LOG, PRESENCE, MAINTENANCE, LIST_TENANTS) = (1, 2, 4, 5, 7, 9, 10, 12, 13, 14, 15, 16, 17, 21, 32)
REFUSAL = 0x80FF

# The title of a window, a cleared screen, control sequences of one character (as UTF-8 and as a byte),
# delete, directions of writing, ends of lines, and what is no UTF-8.
STEERING = ("\x1b]0;owned\x07\x1b[2J\x7f\r\n\x00\u009b31m\u0085\u202e\u2066\u200f\u061c\u2028\u2029"
            .encode() + b"\x9b31m\xff\xc3\xed\xa0\x80")


# Begins an answer after which the connection is closed.
HANGS_UP = b"hangs up"


def text(content):
    return struct.pack("<H", len(content)) + content


def frame(kind, request, payload, length=None):
    return struct.pack("<HHIQ", 1, kind, len(payload) if length is None else length, request) + payload


def context_entry(number):
    return struct.pack("<QIIIIIIQQQ", number, 0, 5, 1, 0, 0, 0x17B, 1, 1, 2) + text(STEERING)


def activity_entry(number):
    return struct.pack("<QQQI", number, 1, 2, 1) + text(STEERING)


def properties(*pairs):
    body = struct.pack(">BII", 0, 6, len(pairs)) + b"".join(struct.pack(">II", *pair) for pair in pairs)
    return struct.pack(">HII", 0x8001, 10 + len(body), 0) + body


def reply_to(kind, payload, asked):
    """What an obedient daemon with evil texts says; `asked` counts the requests of the connection."""
    if kind == HELLO:
        return struct.pack("<IHHQII", 0, 1, 32, 7, 4096, 4096)
    if kind == SUBMIT:
        return struct.pack("<I", 0) + properties((0x20E, 1), (0x20F, 31), (0x210, 600), (0x211, 3600))
    if kind == DEVICE_INFO:
        return struct.pack("<IIIIII", 0, 2, 4, 138, 4096, 4096) + text(STEERING) * 2
    if kind == LIST_CONTEXTS:
        return struct.pack("<II", 0, 0) + context_entry(1)
    if kind == LIST_ACTIVITY:
        return struct.pack("<IIIIQQ6I", 0, 0, 1, 0x17B, 1, 5, *([9] * 6)) + activity_entry(1)
    if kind == STATUS:
        return struct.pack("<IIIIQQQQQQ", 0, 1, 1, 1, *([1] * 6)) + text(STEERING) * 4
    if kind == LIST_LIMITS:
        return struct.pack("<I", 0) + struct.pack("<IIQQ", 0, 0, 1, 2) + text(STEERING)
    if kind == LOCKOUT_STATUS:
        return struct.pack("<IIII", 0, 28800, 4, 9) + struct.pack("<IIII", 0, 1, 1, 9)
    if kind == READ_LOG:
        return struct.pack("<II", 0, 0) + event_log()
    if kind == PRESENCE:
        return struct.pack("<I", 0) + STEERING[:60]
    return struct.pack("<I", 0)


def event_log():
    """One EV_ACTION of the old format, whose text is the evil one."""
    return struct.pack("<II", 0, 5) + bytes(20) + struct.pack("<I", len(STEERING)) + STEERING


class HostileDaemon:
    """Serves until it is stopped. `behaviour(kind, request, payload, asked)` gives the bytes to send, or
    None: nothing, ever."""

    def __init__(self, folder, behaviour, pause=0):
        self.path = os.path.join(folder, f"hostile-{time.monotonic_ns()}.sock")
        self._behaviour = behaviour
        self._pause = pause  # between single bytes; 0: all at once
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def stop(self):
        # Closed under its thread, the number would soon be the next daemon's listener, and this one's
        # thread might serve there.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received, asked = b"", 0
        try:
            while True:
                while len(received) < 16 or len(received) < 16 + struct.unpack_from("<I", received, 4)[0]:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                _, kind, length, request = struct.unpack_from("<HHIQ", received)
                payload, received = received[16:16 + length], received[16 + length:]
                answer = self._behaviour(kind, request, payload, asked)
                asked += 1
                if answer is not None:
                    self._send(connection, answer.removeprefix(HANGS_UP))
                    if answer.startswith(HANGS_UP):
                        return
        except OSError:
            pass
        finally:
            connection.close()

    def _send(self, connection, answer):
        if not self._pause:
            connection.sendall(answer)
            return
        for byte in answer:
            connection.sendall(bytes([byte]))
            time.sleep(self._pause)


def obedient(kind, request, payload, asked):
    return frame(kind | 0x8000, request, reply_to(kind, payload, asked))


def silent(kind, request, payload, asked):
    """Lets clients in and says no more."""
    return obedient(kind, request, payload, asked) if kind == HELLO else None


def endless(kind, request, payload, asked):
    """Logs and lists that never end."""
    if kind == READ_LOG:
        return frame(0x8000 | kind, request, struct.pack("<II", 0, 1) + bytes(65536))
    if kind in (LIST_CONTEXTS, LIST_ACTIVITY):
        first = struct.unpack_from("<Q", payload)[0] + 1
        entry, same = (context_entry, 0) if kind == LIST_CONTEXTS else (activity_entry, 48)
        entries = b"".join(entry(number) for number in range(first, first + 60))
        return frame(0x8000 | kind, request, struct.pack("<II", 0, 1) + bytes(same) + entries)
    return obedient(kind, request, payload, asked)


def by_the_byte(kind, request, payload, asked):
    """A log of one byte after the other, as fast as it is asked for."""
    if kind == READ_LOG:
        return frame(0x8000 | kind, request, struct.pack("<II", 0, 1) + b"x")
    return obedient(kind, request, payload, asked)


def lying(difference):
    """Sizes that are not those of what is sent."""
    def behaviour(kind, request, payload, asked):
        answer = reply_to(kind, payload, asked)
        if kind == HELLO:
            return frame(0x8000 | kind, request, answer)
        return frame(0x8000 | kind, request, answer, min(len(answer) + difference, 0xFFFFFFFF))
    return behaviour


def older_by(*unknown):
    """A daemon from before some messages: it says that it does not know their numbers, and hangs up."""
    def behaviour(kind, request, payload, asked):
        if kind in unknown:
            return HANGS_UP + frame(REFUSAL, 0, struct.pack("<I", 0x80284002) + text(b"unknown message type"))
        return obedient(kind, request, payload, asked)
    return behaviour


def refusing(kind, request, payload, asked):
    return frame(REFUSAL, 0, struct.pack("<I", 0x80284005) + text(STEERING))
