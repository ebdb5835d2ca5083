#!/usr/bin/env python3
"""tbsctl bridge beside a TPM that nobody shares (swtpm): what a program gets for objects and sessions that are not
there, and after it has switched its TPM off or reset it, byte for byte."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import unittest

from bridge_bench import (GET_RANDOM, INDEX, Mssim, Numbers, Raw, Running, STARTUP, WithBridge, code,
                          create_primary, define_index, eventually, flush_context, listens, read_public)

SKIPPED = 77
OWNER, NULL, PASSWORD = 0x40000001, 0x40000007, 0x40000009
TRANSIENT, HMAC, POLICY = 0x80000000, 0x02000000, 0x03000000
OBJECTS = [TRANSIENT, TRANSIENT + 1, TRANSIENT + 2, TRANSIENT + 3, 0x80FFFFFF]
SESSIONS = [kind + number for kind in (HMAC, POLICY) for number in (0, 1, 63, 64, 0xFFFFFF)]
SHA256, NO_ALGORITHM = 0x0B, 0x10


def command(ordinal, *words, sessions=(), tail=b""):
    body = struct.pack(f">{len(words)}I", *words)
    area = b"".join(struct.pack(">IHBH", each, 0, 1, 0) for each in sessions)
    if sessions:
        body += struct.pack(">I", len(area)) + area
    body += tail
    return struct.pack(">HII", 0x8002 if sessions else 0x8001, 10 + len(body), ordinal) + body


def shorts(*numbers):
    return struct.pack(f">{len(numbers)}H", *numbers)


def start(kind):
    return command(0x144, tail=shorts(kind))


def shut_down(kind):
    return command(0x145, tail=shorts(kind))


def start_session(kind, key=NULL, bind=NULL):
    nonce = shorts(16) + bytes(16)
    return command(0x176, key, bind, tail=nonce + shorts(0) + bytes([kind]) + shorts(NO_ALGORITHM, SHA256))


def context_save(handle):
    return command(0x162, handle)


def context_load(blob):
    return command(0x161, tail=blob)


def about(handle):
    """Commands that name `handle`, in each place where one can stand."""
    primary = create_primary()[27:]  # behind the authorization
    signing = shorts(32) + bytes(32) + shorts(NO_ALGORITHM, 0x8024) + struct.pack(">IH", NULL, 0)
    one, two = [PASSWORD], [PASSWORD, PASSWORD]
    yield "ReadPublic", read_public(handle)
    yield "ReadPublic, too long", command(0x173, handle, 0)
    yield "FlushContext", flush_context(handle)
    yield "FlushContext, too long", command(0x165, handle, 0)
    yield "FlushContext with a session", command(0x165, sessions=one, tail=struct.pack(">I", handle))
    yield "ContextSave", context_save(handle)
    yield "PolicyGetDigest", command(0x189, handle)
    yield "PolicyRestart", command(0x180, handle)
    yield "GetSessionAuditDigest", command(0x14D, 0x4000000B, NULL, handle, sessions=two,
                                           tail=shorts(0, NO_ALGORITHM))
    yield "Sign", command(0x15D, handle, sessions=one, tail=signing)
    yield "Sign without authorization", command(0x15D, handle, tail=signing)
    yield "Certify by itself", command(0x148, handle, handle, sessions=two, tail=shorts(0, NO_ALGORITHM))
    yield "Certify by nothing", command(0x148, handle, NULL, sessions=two, tail=shorts(0, NO_ALGORITHM))
    yield "StartAuthSession, key", start_session(0, key=handle)
    yield "StartAuthSession, bound", start_session(0, bind=handle)
    yield "StartAuthSession, both", start_session(0, key=handle, bind=handle)
    yield "PolicySecret", command(0x151, handle, POLICY, sessions=one, tail=bytes(10))
    yield "PolicySecret of the owner", command(0x151, OWNER, handle, sessions=one, tail=bytes(10))
    yield "PolicySigned", command(0x160, handle, POLICY, tail=bytes(10) + signing)
    yield "PolicyNV", command(0x149, OWNER, INDEX, handle, sessions=one, tail=bytes(8))
    yield "SequenceUpdate", command(0x15C, handle, sessions=one, tail=shorts(0))
    yield "SequenceComplete", command(0x13E, handle, sessions=one, tail=shorts(0) + struct.pack(">I", NULL))
    yield "EvictControl", command(0x120, OWNER, handle, sessions=one, tail=struct.pack(">I", 0x81000001))
    yield "Load", command(0x157, handle, sessions=one, tail=bytes(4))
    yield "ObjectChangeAuth", command(0x150, handle, handle, sessions=one, tail=shorts(0))
    yield "Unseal", command(0x15E, handle, sessions=one)
    yield "Hash", command(0x17D, tail=shorts(0, SHA256) + struct.pack(">I", handle))
    yield "NV_Read by it", command(0x14E, handle, INDEX, sessions=one, tail=bytes(4))
    yield "NV_Read of it", command(0x14E, OWNER, handle, sessions=one, tail=bytes(4))
    yield "PCR_Extend", command(0x182, handle, sessions=one, tail=bytes(4))
    yield "GetRandom with a session", command(0x17B, sessions=[handle], tail=shorts(8))
    for number in range(3):
        sessions = [PASSWORD] * number + [handle]
        yield f"CreatePrimary, session {number}", command(0x131, OWNER, sessions=sessions, tail=primary)
    yield "ReadPublic with a session", command(0x173, TRANSIENT, sessions=[handle])
    yield "Sign with a session", command(0x15D, TRANSIENT, sessions=[handle], tail=signing)


def swtpm_capabilities():
    return subprocess.run(["swtpm", "socket", "--tpm2", "--print-capabilities"], check=True, capture_output=True,
                          encoding="utf-8").stdout


class Bare(WithBridge):
    """One client on a TPM of its own, one on the bridge."""

    family = ["--tpm2"]

    def setUp(self):
        super().setUp()
        path = self.path("bare")
        os.mkdir(path + ".state")
        flags = "not-need-init,startup-clear"
        if "disable-auto-shutdown" in swtpm_capabilities():  # it would send a TPM2_Shutdown of its own
            flags += ",disable-auto-shutdown"
        self.swtpm = Running(self.path("bare.log"), "swtpm", "socket", *self.family,
                             "--server", f"type=unixio,path={path}", "--ctrl", f"type=unixio,path={path}.ctrl",
                             "--tpmstate", f"dir={path}.state", "--flags", flags)
        self.addCleanup(self.swtpm.stop, signal.SIGKILL)
        eventually(lambda: listens(path) and listens(path + ".ctrl"))
        self.control = path + ".ctrl"
        self.bare = self.open(Raw, path)

    def ask_swtpm(self, *words, extra=b"", answer=1):
        control = Numbers(self.control)  # it serves one at a time
        try:
            return control.ask(*words, extra=extra, answer=answer)
        finally:
            control.close()

    def same(self, client, request, what):
        expected = self.bare.call(request)
        self.assertEqual(client.call(request).hex(), expected.hex(), what)
        return code(expected)


class NotThere(Bare):
    def setUp(self):
        super().setUp()
        self.client = self.open(Raw, self.bridge()[0])
        self.assertEqual(self.same(self.client, define_index(), "NV_DefineSpace"), 0)

    def test_each_handle_in_each_place(self):
        seen = set()
        for handle in OBJECTS + SESSIONS:
            for name, request in about(handle):
                seen.add(self.same(self.client, request, f"{name}, {handle:#x}"))
        self.assertLessEqual({0x910, 0x911, 0x918, 0x919, 0x91A, 0x1CB, 0x1C4, 0x184, 0x284, 0x984, 0x95, 0x145}, seen)

    def test_after_it_was_flushed(self):
        for made, handle in ((create_primary(), TRANSIENT), (start_session(0), HMAC), (start_session(1), POLICY)):
            for each in (self.client, self.bare):
                self.assertEqual(struct.unpack_from(">I", self.ok(each.call(made)), 10)[0], handle)
            self.assertEqual(self.same(self.client, flush_context(handle), "flush"), 0)
            for name, request in about(handle):
                self.same(self.client, request, f"{name}, {handle:#x}")


class Starts(Bare):
    """A program whose TPM has been started by tbsd, beside one that starts its own."""

    mistakes = [start(7), start(1), command(0x144), command(0x144, 0), command(0x144, sessions=[PASSWORD], tail=shorts(0))]

    def test_once(self):
        for options in ((), ("--persistent",), ("--protocol", "swtpm")):
            client = self.open(Raw, self.bridge(*options)[0])
            self.assertEqual(self.ask_swtpm(2, 0), (0,))
            for request in (*self.mistakes, start(0)):
                self.same(client, request, f"not started, {request.hex()}")
            for request in (*self.mistakes, start(0), shut_down(1), start(1), start(0), shut_down(0), start(1), start(0),
                            GET_RANDOM[:-1] + b"\0", start(0)):
                seen = self.same(client, request, f"started, {request.hex()}")
                self.assertEqual(seen, 0 if request[6:10] != STARTUP[6:10] else 0x100, request.hex())

    def test_that_it_runs_can_be_seen_by_any_command(self):
        client = self.open(Raw, self.bridge()[0])
        self.assertEqual(self.same(client, read_public(TRANSIENT), "ReadPublic"), 0x910)
        for request in (start(0), start(1)):
            self.assertEqual(self.same(client, request, request.hex()), 0x100)

    def test_each_connection_has_a_tpm_and_persistent_ones_share_it(self):
        address = self.bridge()[0]
        self.assertEqual([code(self.open(Raw, address).call(start(0))) for _ in range(2)], [0, 0])
        address = self.bridge("--persistent")[0]
        self.assertEqual([code(self.open(Raw, address).call(start(0))) for _ in range(2)], [0, 0x100])


class PowerCycle(Bare):
    """The control command INIT of swtpm is a reset, as is each of these ways."""

    def ways(self):
        """A client, and what resets its TPM."""
        for ask in ((17,), (2, 1), (2, 12, 1, 11)):
            first, second = self.bridge("--protocol", "mssim", address="0")
            platform = self.open(Numbers, second)
            yield self.open(Mssim, first), lambda: [self.assertEqual(platform.ask(each), (0,)) for each in ask]
        first, second = self.bridge("--protocol", "swtpm")
        control = self.open(Numbers, second)
        yield self.open(Raw, first), lambda: self.assertEqual(control.ask(2, 0), (0,))

    def reset_bare(self):
        self.assertEqual(self.ask_swtpm(2, 0), (0,))

    def test_until_it_is_started(self):
        requests = [GET_RANDOM, command(0x17A, tail=struct.pack(">III", 6, 0x100, 1)), command(0x143, tail=b"\1"),
                    command(0x17C), shut_down(0), create_primary(), command(0x999),
                    start(7), start(1), command(0x144), command(0x144, 0), command(0x144, sessions=[PASSWORD], tail=shorts(0))]
        for client, reset in self.ways():
            reset()
            self.reset_bare()
            for request in requests:
                self.assertNotEqual(self.same(client, request, request.hex()), 0)
            self.assertEqual(self.same(client, STARTUP, "Startup"), 0)
            self.assertEqual(self.same(client, read_public(TRANSIENT), "ReadPublic"), 0x910)
            self.ok(client.call(GET_RANDOM))

    def test_what_was_there_is_gone(self):
        for number, (client, reset) in enumerate(self.ways()):
            if number == 0:
                self.assertEqual(self.same(client, define_index(), "NV_DefineSpace"), 0)
            saved = {}
            for each in (client, self.bare):
                self.ok(each.call(create_primary()))
                self.ok(each.call(start_session(0)))
                self.ok(each.call(start_session(1)))
                saved[each] = self.ok(each.call(context_save(POLICY + 1)))[10:]
                self.ok(each.call(command(0x186, tail=shorts(0, SHA256))))  # a sequence
            self.assertGreater(self.service.held(), 3)
            reset()
            self.reset_bare()
            eventually(lambda: self.service.held() == 0)
            self.assertEqual(self.same(client, STARTUP, "Startup"), 0)
            for handle in (TRANSIENT, TRANSIENT + 1, HMAC, HMAC + 1, POLICY + 1):
                for name, request in about(handle):
                    self.same(client, request, f"{name}, {handle:#x}")
            for each in (client, self.bare):
                self.assertIn(code(each.call(context_load(saved[each]))), (0x1CB, 0x1DF))
            client.close()

    def test_a_state_that_was_saved(self):
        for client, reset in self.ways():
            for requests in ([start(0), shut_down(1)], [start(1), shut_down(1), shut_down(0)], [start(1), start(0)],
                             [shut_down(1), start(0), shut_down(0)], [start(1), start(0)]):
                reset()
                self.reset_bare()
                for request in requests:
                    self.same(client, request, request.hex())


class PowerCycle12(Bare):
    family = []

    def test_until_it_is_started(self):
        def old(ordinal, tail=b""):
            return struct.pack(">HII", 0xC1, 10 + len(tail), ordinal) + tail
        first, second = self.bridge("--protocol", "swtpm")
        client, control = self.open(Raw, first), self.open(Numbers, second)
        self.assertEqual(control.ask(2, 0), (0,))
        self.assertEqual(self.ask_swtpm(2, 0), (0,))
        for request in (old(0x46, struct.pack(">I", 8)), old(0x65, struct.pack(">III", 6, 0, 0)), old(0x50), old(0x53)):
            self.assertEqual(self.same(client, request, request.hex()), 0x26)
        self.assertEqual(self.same(client, old(0x99, shorts(1)), "Startup"), 0)


if __name__ == "__main__":
    if shutil.which("swtpm") is None:
        print("skipped: there is no swtpm")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
