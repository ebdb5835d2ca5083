#!/usr/bin/env python3
"""The stand-in for the service manager, with a program of the test's own."""

import os
import pathlib
import signal
import socket
import sys
import tempfile
import textwrap
import unittest

import service_manager
from service_manager import ServiceManager

PROGRAM = '''
import array, os, select, signal, socket, sys
names = os.environ.get("LISTEN_FDNAMES", "").split(":") if os.environ.get("LISTEN_FDS") else []
assert not names or int(os.environ["LISTEN_PID"]) == os.getpid()
given = {name: 3 + place for place, name in enumerate(names)}
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])

def tell(text, *descriptors):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    notify.sendmsg([text.encode()], rights)

def keep(name, descriptor, poll="FDPOLL=0"):
    tell(f"FDSTORE=1\\nFDNAME={name}\\n{poll}", descriptor)

def drop(name):
    tell(f"FDSTOREREMOVE=1\\nFDNAME={name}")

def barrier():
    ours, theirs = os.pipe()
    tell("BARRIER=1", theirs)
    os.close(theirs)
    assert select.select([ours], [], [], 60)[0] and os.read(ours, 1) == b""

print(f"start: {' '.join(names)}", flush=True)
'''


class StandIn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def manager(self, program, **more):
        path = pathlib.Path(self.folder, "program.py")
        path.write_text(PROGRAM + textwrap.dedent(program), encoding="ascii")
        manager = ServiceManager(self.folder, [sys.executable, str(path)], **more)
        self.addCleanup(manager.close)
        return manager

    def said(self, manager):
        return [line for line in manager.log().splitlines() if not line.startswith("start: ")]

    def test_what_is_kept_comes_back_with_the_sockets(self):
        manager = self.manager("""
            if "record" in given:
                print(os.pread(given["record"], 100, 0).decode(), flush=True)
            else:
                file = os.memfd_create("record")
                os.write(file, b"left")
                keep("record", file)
                client = socket.socketpair()[0]
                keep("client-1", client.fileno())
                keep("client-2", file)  # the same open file: not kept again
                keep("tpm-node", 0)
                drop("tpm-node")
                barrier()
            tell("READY=1\\nSTATUS=at work")
            signal.pause()
            """, sockets={"everybody": f"{self.folder}/a.sock", "admin": f"{self.folder}/b.sock"})
        manager.wait_until_ready()
        self.assertEqual(manager.status, "at work")
        self.assertEqual(manager.stored(), ["client-1", "record"])
        manager.kill()
        manager.wait_until_ready(2)
        self.assertEqual(manager.log(), "start: everybody admin\n"
                                        "start: everybody admin client-1 record\nleft\n")
        self.assertEqual(manager.exits, [-signal.SIGKILL])
        # A connection that waits for the next one.
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{self.folder}/a.sock")
        self.assertEqual(manager.stop(), -signal.SIGTERM)
        self.assertEqual(manager.stored(), [])

    def test_what_is_polled_goes_with_its_peer(self):
        manager = self.manager("""
            ends = [socket.socketpair() for _ in range(2)]
            keep("client-1", ends[0][0].fileno(), "FDPOLL=1")
            keep("client-2", ends[1][0].fileno())
            barrier()
            tell("READY=1")
            signal.pause()
            """)
        manager.wait_until_ready()
        self.assertEqual(manager.stored(), ["client-1", "client-2"])
        manager.kill(signal.SIGSTOP)
        self.assertEqual(manager.stored(), ["client-1", "client-2"])
        manager.kill()
        manager.wait_for(lambda: manager.starts == 2, "another start")
        manager.wait_for(lambda: manager.ready, "it is ready")
        self.assertIn("client-2", manager.stored())
        self.assertIn("start: client-2\n", manager.log())

    def test_a_clean_end_loses_all_unless_it_is_a_restart(self):
        manager = self.manager("""
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            if not given:
                keep("record", os.memfd_create("record"))
            barrier()
            tell("READY=1")
            signal.pause()
            """)
        manager.wait_until_ready()
        manager.restart()
        manager.wait_until_ready(2)
        self.assertIn("start: record\n", manager.log())
        self.assertEqual(manager.stop(), 0)
        self.assertEqual((manager.stored(), manager.starts), ([], 2))

    def test_only_the_program_is_heard(self):
        manager = self.manager("""
            child = os.fork()
            if child == 0:
                keep("record", os.memfd_create("record"))
                os._exit(0)
            os.waitpid(child, 0)
            barrier()
            tell("READY=1")
            signal.pause()
            """)
        manager.wait_until_ready()
        self.assertEqual(manager.stored(), [])

    def test_there_is_room_for_so_many(self):
        manager = self.manager("""
            for number in range(3):
                keep(f"client-{number}", os.memfd_create("x"))
            barrier()
            tell("READY=1")
            signal.pause()
            """, store_most=2)
        manager.wait_until_ready()
        self.assertEqual((manager.stored(), manager.refused()), (["client-0", "client-1"], ["client-2"]))

    def test_same_open_file(self):
        one = os.open("/dev/null", os.O_RDWR)
        other = os.open("/dev/null", os.O_RDWR)
        copy = os.dup(one)
        self.assertTrue(service_manager.same_open_file(one, copy))
        if service_manager.KCMP:
            self.assertFalse(service_manager.same_open_file(one, other))
        for descriptor in (one, other, copy):
            os.close(descriptor)


if __name__ == "__main__":
    unittest.main(verbosity=2)
