"""A program that lives on over restarts of tbsd: restart.py esys|fapi|pkcs11|tls SOCKET.

In each round it works as such a program does, makes the file NAME.ROUND and waits for go.ROUND. In the
first command after a restart it may be told that there is something it has lost, but no more than that."""

import ctypes
import os
import signal
import socket
import ssl
import sys
import time

ROUNDS = 5
LIBRARY = "/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1"


def rounds(name, work):
    for number in range(ROUNDS):
        while number > 0 and not os.path.exists(f"go.{number}"):
            time.sleep(0.05)
        work(number)
        with open(f"{name}.{number}", "w", encoding="utf-8"):
            pass


def expect(true, what):
    if not true:
        raise AssertionError(what)


def fails_with(code, call):
    from tpm2_pytss import TSS2_Exception
    try:
        call()
    except TSS2_Exception as error:
        expect(error.rc == code, f"{error.rc:#x} and not {code:#x}")
        return
    raise AssertionError(f"succeeds, and not {code:#x}")


def esys(path):
    from tpm2_pytss import ESAPI
    context, keys = ESAPI(f"tbs:{path}"), []

    def work(number):
        # The very next command works.
        expect(len(bytes(context.get_random(8))) == 8, "random numbers")
        for old in keys:
            fails_with(0x000B018B, lambda key=old: context.read_public(key))
        if keys:
            context.flush_context(keys.pop(0))
        key, *_ = context.create_primary(None, "ecc256")
        for old in keys:
            fails_with(0x000B018B, lambda key=old: context.read_public(key))
        context.read_public(key)
        keys.append(key)

    rounds("esys", work)


def fapi(_path):
    from tpm2_pytss import FAPI
    with FAPI() as context:
        context.create_key("HS/SRK/key", "sign,noda")
        rounds("fapi", lambda _: context.sign("HS/SRK/key", b"\1" * 32))


class Attribute(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("size", ctypes.c_ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("size", ctypes.c_ulong)]


class Token:
    """A token with a session that is logged in, and its private key."""

    def __init__(self):
        self.library = ctypes.CDLL(LIBRARY)
        self.call("C_Initialize", None)
        self.open()

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        expect(code == 0, f"{name}: {code:#x}")

    def open(self):
        slots, count = (ctypes.c_ulong * 8)(), ctypes.c_ulong(8)
        self.call("C_GetSlotList", 1, slots, ctypes.byref(count))
        self.session = ctypes.c_ulong()
        self.call("C_OpenSession", ctypes.c_ulong(slots[0]), ctypes.c_ulong(6), None, None,
                  ctypes.byref(self.session))
        self.call("C_Login", self.session, ctypes.c_ulong(1), b"1234", ctypes.c_ulong(4))
        kind, self.key = ctypes.c_ulong(3), ctypes.c_ulong()
        wanted = Attribute(0, ctypes.addressof(kind), ctypes.sizeof(kind))
        self.call("C_FindObjectsInit", self.session, ctypes.byref(wanted), ctypes.c_ulong(1))
        self.call("C_FindObjects", self.session, ctypes.byref(self.key), ctypes.c_ulong(1), ctypes.byref(count))
        self.call("C_FindObjectsFinal", self.session)
        expect(count.value == 1, "the token has a key")

    def close(self):
        self.call("C_Logout", self.session)
        self.call("C_CloseSession", self.session)

    def sign(self):
        mechanism = Mechanism(0x1041, None, 0)  # ECDSA
        signature, size = (ctypes.c_ubyte * 128)(), ctypes.c_ulong(128)
        self.call("C_SignInit", self.session, ctypes.byref(mechanism), self.key)
        self.call("C_Sign", self.session, b"\1" * 32, ctypes.c_ulong(32), signature, ctypes.byref(size))
        expect(size.value == 64, "a signature")


def pkcs11(_path):
    token = Token()

    def work(number):
        if number > 0:
            # Its session and the loaded key went with the daemon; tpm2-pkcs11 asks for a new login.
            try:
                token.sign()
            except AssertionError:
                token.close()
                token.open()
        token.sign()
        token.sign()

    rounds("pkcs11", work)


def serve(listener):
    """Like a worker of gunicorn: opens the key for each connection."""
    while True:
        try:
            client, _ = listener.accept()
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain("certificate.pem", "key.pem")
            with context.wrap_socket(client, server_side=True) as connection:
                connection.sendall(b"served")
        except OSError as error:
            print(f"worker {os.getpid()}: {error}", file=sys.stderr, flush=True)


def fetch(address):
    context = ssl.create_default_context(cafile=None)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(address, timeout=60) as plain, context.wrap_socket(plain) as connection:
        return connection.recv(64)


def tls(_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of the end below
        workers = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                serve(listener)
            workers.append(child)
        try:
            rounds("tls", lambda _: [expect(fetch(listener.getsockname()) == b"served", "an answer")
                                     for _ in range(9)])
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
                os.waitpid(worker, 0)


if __name__ == "__main__":
    {"esys": esys, "fapi": fapi, "pkcs11": pkcs11, "tls": tls}[sys.argv[1]](sys.argv[2])
