"""What a predecessor has left is broken, of another TPM, or not all there: the next tbsd begins anew,
says so in one line of its log, keeps nobody waiting, and is not started again and again.

TBSD is the daemon."""

import os
import pathlib
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from service_manager import ServiceManager  # noqa: E402

TBSD = os.environ["TBSD"]
JOURNAL = 4096 + 16384 + 65536  # where it begins in the memory (daemon/service_keeper.cpp)
GET_RANDOM = struct.pack(">HIIH", 0x8001, 12, 0x17B, 8)
REFUSED = "the kept state is not used: "


def frame(kind, request, payload):
    return struct.pack("<HHIQ", 1, kind, len(payload), request) + payload


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.ask(frame(1, 1, struct.pack("<HHIII", 1, 1, 1, 4, 0)))

    def ask(self, request):
        """The answer's payload, or nothing at the end of the connection."""
        try:
            self.socket.sendall(request)
            return self.socket.recv(4096)[16:]
        except (BrokenPipeError, ConnectionResetError):
            return b""

    def random(self):
        answer = self.ask(frame(2, 2, struct.pack("<II", 0, 200) + GET_RANDOM))
        return answer[:4] + answer[10:14] == bytes(8)


def child_of(parent):
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == parent:
            return int(status.parent.name)
    raise AssertionError("it has no child")


class Refused(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tbs-test-")
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "tbsd.sock")
        command = [TBSD, "--device=embedded", "--state-dir=" + self.folder.name]
        self.manager = ServiceManager(self.folder.name, command, {"tbsd": self.path})
        self.addCleanup(self.manager.close)
        self.manager.wait_until_ready()
        self.client = self.connect()
        self.assertTrue(self.client.random())
        self.manager.wait_for(lambda: any("client-" in name for name, _, _ in self.manager._store.entries),
                              "the client is kept")

    def connect(self):
        client = Client(self.path)
        self.addCleanup(client.socket.close)
        return client

    def entry(self, name):
        return next(descriptor for found, descriptor, _ in self.manager._store.entries if found == name)

    def crash(self):
        starts = self.manager.starts
        self.manager.kill()
        self.manager.wait_until_ready(starts + 1)

    def begins_anew(self, reason):
        self.crash()
        self.assertEqual(self.client.ask(frame(3, 3, b"")), b"", "the old connection ends")
        self.assertTrue(self.connect().random())
        log = self.manager.log()
        self.assertEqual(log.count(REFUSED), 1, log)
        self.assertIn(REFUSED + reason, log)
        self.assertEqual(self.manager.starts, 2)
        # What is kept now is its own: it can be ended again.
        client = self.connect()
        self.manager.wait_for(lambda: [name for name, _, _ in self.manager._store.entries].count("record") == 1,
                              "one record is kept")
        self.crash()
        self.assertTrue(client.random())
        self.assertEqual(self.manager.log().count(REFUSED), 1)

    def read_number(self, kind, offset):
        return struct.unpack(kind, os.pread(self.entry("record"), struct.calcsize(kind), offset))[0]

    def first_entry(self):
        """Where the heading of the half is that counts (daemon/restart/journal_layout.h)."""
        half = (self.read_number("<Q", JOURNAL + 16) - 64) // 2 // 8 * 8
        return JOURNAL + 64 + (self.read_number("<Q", JOURNAL + 24) & 1) * half

    def second_entry(self):
        begin = self.first_entry()
        return begin + 8 + (self.read_number("<I", begin) + 7) // 8 * 8

    def write(self, offset, data):
        os.pwrite(self.entry("record"), data, offset)

    def test_everything_is_there(self):
        self.crash()
        self.assertTrue(self.client.random())
        self.assertNotIn(REFUSED, self.manager.log())

    def test_another_tpm(self):
        child = child_of(self.manager.pid)
        self.manager._command[1] = "--device=embedded:" + os.path.join(self.folder.name, "other")
        self.begins_anew("it is of the TPM embedded")
        # The TPM of before is nobody's, and ends.
        until = time.monotonic() + 60
        while os.path.exists(f"/proc/{child}/exe"):
            self.assertLess(time.monotonic(), until, "its process does not end")
            time.sleep(0.01)
        names = [name for name, _, _ in self.manager._store.entries]
        self.assertEqual(len(names), len(set(names)), names)

    def test_memory_of_zeros(self):
        self.write(JOURNAL, bytes(64))
        self.begins_anew("")

    def test_newer_format(self):
        self.write(self.first_entry() + 8, struct.pack("<I", 999))
        self.begins_anew("")

    def test_broken_entries(self):
        # The engine's state has a length that does not fit.
        self.write(self.second_entry(), struct.pack("<I", 0x7FFFFFF0))
        self.begins_anew("")

    def test_state_that_makes_no_sense(self):
        self.write(self.second_entry() + 8 + 40, b"\xff" * 16)
        self.begins_anew("")

    def test_a_file_that_is_no_memory(self):
        with open(os.path.join(self.folder.name, "file"), "w+b") as file:
            file.truncate(128 << 20)
            os.dup2(file.fileno(), self.entry("record"))
        self.begins_anew("")

    def test_clients_without_the_record(self):
        self.manager._store.remove(lambda entry: entry[0] == "record")
        self.crash()
        self.assertEqual(self.client.ask(frame(3, 3, b"")), b"")
        self.assertTrue(self.connect().random())

    def test_a_client_whose_socket_is_not_there(self):
        other = self.connect()
        self.manager.wait_for(
            lambda: sum("client-" in name for name, _, _ in self.manager._store.entries) == 2, "both are kept")
        self.manager._store.remove(lambda entry: entry[0] == "client-1")
        self.crash()
        self.assertTrue(other.random())
        self.assertEqual(self.client.ask(frame(3, 3, b"")), b"")

    def test_the_tpm_is_not_there(self):
        self.manager._store.remove(lambda entry: entry[0].startswith("tpm-"))
        self.crash()
        # The client goes on, on the TPM that is started then.
        self.manager.wait_for(lambda: "is ready" in self.manager.status, "the TPM is ready")
        self.assertTrue(self.client.random())
        self.assertEqual(self.manager.starts, 2)

    def test_names_that_nobody_gave(self):
        one, other = os.pipe()
        self.manager._store.add("client-x", one, False)
        self.manager._store.add("something", other, False)
        self.crash()
        self.assertTrue(self.client.random())
        self.manager.wait_for(
            lambda: not any(name in ("client-x", "something") for name, _, _ in self.manager._store.entries),
            "they are dropped")


if __name__ == "__main__":
    unittest.main()
