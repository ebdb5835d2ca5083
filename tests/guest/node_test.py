#!/usr/bin/env python3
"""tbs-node beside the kernel's own resource manager, on a real kernel: node_test.py, run in a guest.

The same sequences of system calls go to /dev/tpmrm0 and to the node; each result, errno and byte has
to be the same. What differs on purpose is in docs/clients.md, and is tested here as well.

TBSD, TBSCTL and TBS_NODE name the programs."""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import pwd
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

DEADLINE = 60  # against hanging only
REAL = "/dev/tpmrm0"
NODE = "/dev/tbs0"
NOBODY = pwd.getpwnam("nobody").pw_uid
IN, OUT = select.POLLIN, select.POLLOUT

# Their responses are the same bytes each time.
GET_CAPABILITY = bytes.fromhex("8001 00000016 0000017a 00000006 00000100 00000001")  # the family
READ_PCR = bytes.fromhex("8001 00000014 0000017e 00000001 000b 03 010000")  # of PCR 0
GET_RANDOM = bytes.fromhex("8001 0000000c 0000017b 0010")
NO_INDEX = bytes.fromhex("8001 0000000e 00000169 01ffff00")  # NV_ReadPublic of what is not there
NO_HANDLE = bytes.fromhex("8001 0000000e 00000165 80ffff00")  # FlushContext of the same
UNKNOWN = bytes.fromhex("8001 0000000a 0000ffff")
# CreatePrimary of an RSA key in the null hierarchy, which takes a while.
MAKE_KEY = bytes.fromhex("8002 00000043 00000131 40000007 00000009 40000009 0000 00 0000 0004 00000000"
                         "001a 0001 000b 00030472 0000 0006 0080 0043 0010 0800 00000000 0000 0000 00000000")


def sized(command, size):
    """With another size in its header."""
    return command[:2] + struct.pack(">I", size) + command[6:]


# A step is a name and its arguments; "poll" waits for one of the events, "now" does not.
W, R, P, NOW, NB, B = "write", "read", "poll", "now", "nonblock", "block"
SEQUENCES = {
    "one command": [(W, GET_CAPABILITY), (R, 4096)],
    "two commands": [(W, GET_CAPABILITY), (R, 4096), (W, READ_PCR), (R, 4096)],
    "read of nothing": [(R, 4096)],
    "read twice": [(W, GET_CAPABILITY), (R, 4096), (R, 4096)],
    "in parts": [(W, GET_CAPABILITY), (R, 10), (R, 4), (R, 4096), (R, 10)],
    "byte by byte": [(W, UNKNOWN), *[(R, 1)] * 11],
    "write after a part": [(W, GET_CAPABILITY), (R, 10), (W, READ_PCR), (R, 4096)],
    "write before a read": [(W, GET_CAPABILITY), (W, READ_PCR), (R, 4096), (R, 4096)],
    "again and again before a read": [(W, GET_CAPABILITY), *[(W, READ_PCR)] * 3, (R, 4096)],
    "nothing but a part, then two": [(W, READ_PCR), (R, 1), (W, GET_CAPABILITY), (R, 1), (W, READ_PCR), (R, 4096)],
    "too short": [(W, b"\x80")],
    "five bytes": [(W, GET_CAPABILITY[:5]), (R, 10)],
    "size beyond the end": [(W, GET_CAPABILITY[:10])],
    "size one too many": [(W, sized(GET_CAPABILITY, 23))],
    "size of 4 GiB": [(W, sized(GET_CAPABILITY, 0xFFFFFFFF))],
    "bytes after the end": [(W, GET_CAPABILITY + b"more"), (R, 4096)],
    "4096 bytes": [(W, GET_CAPABILITY + bytes(4096 - len(GET_CAPABILITY))), (R, 4096)],
    "4097 bytes": [(W, GET_CAPABILITY + bytes(4097 - len(GET_CAPABILITY))), (R, 4096)],
    "8192 bytes": [(W, bytes(8192))],
    "1 MiB": [(W, bytes(1 << 20))],
    "too many with a response unread": [(W, GET_CAPABILITY), (W, bytes(5000)), (R, 4096)],
    "too short with a response unread": [(W, GET_CAPABILITY), (W, b"abc"), (R, 4096)],
    "too short after a part": [(W, GET_CAPABILITY), (R, 10), (W, b"abc"), (R, 4096)],
    "good after bad": [(W, b"abc"), (W, GET_CAPABILITY), (R, 4096)],
    "good after too many": [(W, bytes(5000)), (W, GET_CAPABILITY), (R, 4096)],
    "unknown index": [(W, NO_INDEX), (R, 4096)],
    "unknown command": [(W, UNKNOWN), (R, 4096)],
    "large read": [(W, READ_PCR), (R, 100000)],
    "poll when idle": [(NOW,)],
    "poll with a response": [(W, GET_CAPABILITY), (NOW,), (R, 4096), (NOW,)],
    "poll with a part": [(W, GET_CAPABILITY), (R, 10), (NOW,), (R, 4096), (NOW,)],
    "poll after what is refused": [(W, b"abc"), (NOW,), (W, bytes(5000)), (NOW,)],
    "poll after a refused second": [(W, READ_PCR), (W, READ_PCR), (NOW,), (R, 4096), (NOW,)],
    "nonblocking": [(NB,), (W, GET_CAPABILITY), (P, IN), (R, 4096), (NOW,)],
    "nonblocking, twice": [(NB,), (W, GET_CAPABILITY), (P, IN), (R, 4096), (W, READ_PCR), (P, IN), (R, 4096)],
    "nonblocking, in parts": [(NB,), (W, READ_PCR), (P, IN), (R, 10), (P, IN), (R, 4096), (R, 1)],
    "nonblocking, read of nothing": [(NB,), (R, 4096)],
    "nonblocking, write before a read": [(NB,), (W, GET_CAPABILITY), (P, IN), (W, READ_PCR), (R, 4096)],
    "nonblocking, too short": [(NB,), (W, b"abc"), (NOW,), (R, 10)],
    "nonblocking, too many": [(NB,), (W, bytes(4097)), (R, 10)],
    "nonblocking, slow": [(NB,), (W, MAKE_KEY), (P, IN), (R, 10)],
    "nonblocking, second while it runs": [(NB,), (W, MAKE_KEY), (W, GET_CAPABILITY), (P, IN), (R, 10)],
    "blocking again": [(NB,), (W, GET_CAPABILITY), (P, IN), (R, 4096), (B,), (W, READ_PCR), (R, 4096)],
    "nonblocking for the read alone": [(W, GET_CAPABILITY), (NB,), (R, 4096), (R, 4096)],
    "slow": [(W, MAKE_KEY), (R, 10), (R, 4096 - 10, "size"), (R, 1)],
    "ioctl": [("ioctl",)],
    "closed with a response unread": [(W, GET_CAPABILITY), ("close",), ("open",), (NOW,), (R, 10)],
    "closed after a part": [(W, GET_CAPABILITY), (R, 10), ("close",), ("open",), (R, 10)],
    "a copy of the descriptor": [(W, GET_CAPABILITY), ("dup",), (R, 10), ("close",), ("open",), (R, 10)],
    "opened for reading": [("close",), ("open", os.O_RDONLY), (R, 10), (W, GET_CAPABILITY)],
    "opened for writing": [("close",), ("open", os.O_WRONLY), (W, GET_CAPABILITY), (NOW,), (R, 10)],
}


class File:
    """A sequence on one node; what each step came to."""

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDWR)

    def close(self):
        os.close(self.fd)

    def write(self, data):
        return os.write(self.fd, data)

    def read(self, room, only="bytes"):
        data = os.read(self.fd, room)
        return len(data) if only == "size" else data.hex()

    def poll(self, events):
        poll = select.poll()
        poll.register(self.fd, events)
        return [found for _, found in poll.poll(DEADLINE * 1000)]

    def now(self):
        poll = select.poll()
        poll.register(self.fd, IN | OUT)
        return [found for _, found in poll.poll(0)]

    def nonblock(self):
        os.set_blocking(self.fd, False)

    def block(self):
        os.set_blocking(self.fd, True)

    def ioctl(self):
        return fcntl.ioctl(self.fd, 0x5401, bytes(64))

    def open(self, flags=os.O_RDWR):
        self.fd = os.open(self.path, flags)

    def dup(self):
        copy = os.dup(self.fd)
        os.close(self.fd)
        self.fd = copy

    def run(self, steps):
        results = []
        for name, *arguments in steps:
            try:
                results.append((name, getattr(self, name)(*arguments)))
            except OSError as error:
                results.append((name, errno.errorcode[error.errno]))
        return results


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.02)


class Programs:
    """tbsd on the kernel's device, and tbs-node."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tbs-node-"))
        self.folder.chmod(0o755)
        self.socket = self.folder / "tbsd.sock"
        self.node_socket = self.folder / "node.sock"
        self.tbsd = subprocess.Popen(
            [os.environ["TBSD"], "--config", "/dev/null", "--device", "/dev/tpm0", "--socket", self.socket,
             "--node-socket", self.node_socket, "--state-dir", self.folder])
        wait_for("tbsd", self.node_socket.exists)
        self.node = None
        self.start_node()

    def start_node(self, *options):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            address = self.folder / "notify"
            address.unlink(missing_ok=True)
            manager.bind(str(address))
            manager.settimeout(DEADLINE)
            self.node = subprocess.Popen([os.environ["TBS_NODE"], "--socket", self.node_socket, *options],
                                         env={**os.environ, "NOTIFY_SOCKET": str(address)})
            while b"READY=1" not in manager.recv(4096):
                pass
        os.chmod(NODE, 0o666)

    def stop_node(self):
        self.node.terminate()
        self.node.wait(DEADLINE)
        wait_for("the node's end", lambda: not os.path.exists(NODE))

    def contexts(self):
        said = subprocess.run([os.environ["TBSCTL"], "--socket", self.socket, "contexts", "--json"], check=True,
                              capture_output=True, timeout=DEADLINE)
        return json.loads(said.stdout)

    def stop(self):
        """What still runs of them."""
        for program in (self.node, self.tbsd):
            program.terminate()
            program.wait(DEADLINE)


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.programs = Programs()
        cls.addClassCleanup(cls.programs.stop)

    def test_sequences(self):
        self.assertGreaterEqual(len(SEQUENCES), 40)
        for name, steps in SEQUENCES.items():
            with self.subTest(name):
                results = []
                for path in (REAL, NODE):
                    file = File(path)
                    results.append(file.run(steps))
                    file.close()
                self.assertEqual(results[0], results[1])

    def test_who_opens_it_is_the_client(self):
        child = subprocess.Popen(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c",
             f"import os; f = os.open({NODE!r}, os.O_RDWR); print(1, flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertEqual(child.stdout.readline(), b"1\n")
            mine = [each for each in self.programs.contexts() if each["pid"] == child.pid]
            self.assertEqual([each["uid"] for each in mine], [NOBODY])
            self.assertIn("python", mine[0]["program"])
        finally:
            child.communicate(b"\n", DEADLINE)
        wait_for("its end", lambda: all(each["pid"] != child.pid for each in self.programs.contexts()))

    def test_nobody_is_an_administrator_by_it(self):
        """TPM2_Clear, by root."""
        file = File(NODE)
        self.addCleanup(file.close)
        file.write(bytes.fromhex("8002 0000001b 00000126 4000000a 00000009 40000009 0000 00 0000"))
        self.assertEqual(file.read(4096)[12:20], "80280400")

    def test_nobody_else_reaches_the_socket(self):
        done = subprocess.run(
            ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c",
             f"import socket; socket.socket(socket.AF_UNIX).connect({str(self.programs.node_socket)!r})"],
            stderr=subprocess.PIPE, check=False, timeout=DEADLINE)
        self.assertIn(b"PermissionError", done.stderr)

    def test_tools(self):
        for command in ("tpm2_getrandom -T device:{} --hex 8", "tpm2_createprimary -T device:{} -c {}.ctx",
                        "tpm2_getcap -T device:{} properties-fixed"):
            command = command.replace("{}.ctx", str(self.programs.folder / "key.ctx")).format(NODE)
            for account in ([], ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]):
                if account and ".ctx" in command:
                    continue
                done = subprocess.run([*account, *command.split()], check=False, timeout=DEADLINE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/tmp")
                self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}")

    def test_in_place_of_the_kernels(self):
        """As BindPaths= has it."""
        command = (f"mount --bind {NODE} {REAL} && exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "
                   f"{sys.executable} -c 'import os; f = os.open(\"{REAL}\", os.O_RDWR); print(1, flush=True); input()'")
        child = subprocess.Popen(["unshare", "-m", "sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertEqual(child.stdout.readline(), b"1\n")
            self.assertEqual([each["uid"] for each in self.programs.contexts() if each["pid"] == child.pid], [NOBODY])
        finally:
            child.communicate(b"\n", DEADLINE)

    def opener(self, go, command=None):
        """A process that opens the node, and once it may go on writes the command, where there is one. Its number."""
        here = os.fork()
        if here != 0:
            return here
        try:
            if command is None:
                os.read(go, 1)
            fd = os.open(NODE, os.O_RDWR)
            os.read(go, 1)
            os.write(fd, command)
        finally:
            os._exit(0)

    @staticmethod
    def waits_in(pid, what):
        return what in pathlib.Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")

    @contextlib.contextmanager
    def standing_still(self):
        os.kill(self.programs.tbsd.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.programs.tbsd.pid, signal.SIGCONT)

    def test_killed_while_it_waits(self):
        """64 that wait for a response, and some that wait in open(): tbsd stands still."""
        go, may_go = os.pipe()
        children = [self.opener(go, GET_RANDOM) for _ in range(64)]
        for child in children:
            wait_for("an open node", lambda child=child: self.waits_in(child, "pipe_read"))
        late = [self.opener(go) for _ in range(4)]
        with self.standing_still():
            os.write(may_go, bytes(len(children) + len(late)))
            for child in children + late:
                wait_for("a call that waits", lambda child=child: self.waits_in(child, "wait_answer"))
            # A tbs-node that held a killed process would do so for as long as tbsd stands still.
            longest = 0
            for child in children + late:
                start = time.monotonic()
                os.kill(child, signal.SIGKILL)
                self.assertTrue(os.WIFSIGNALED(os.waitpid(child, 0)[1]))
                longest = max(longest, time.monotonic() - start)
            print(f"# {len(children + late)} killed, each in {longest * 1000:.0f} ms at most", flush=True)
        os.close(go)
        os.close(may_go)
        with contextlib.closing(File(NODE)) as file:
            file.write(GET_RANDOM)
            self.assertEqual(len(file.read(4096)), 2 * 28)

    def test_a_signal_ends_a_wait(self):
        """Unlike the kernel's device; the command is cancelled and the file can be used on."""
        with contextlib.closing(File(NODE)) as file:
            signal.signal(signal.SIGALRM, self.interrupted)
            with self.standing_still():
                signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
                with self.assertRaises(InterruptedError):
                    file.write(MAKE_KEY)
                signal.setitimer(signal.ITIMER_REAL, 0)
            self.assertEqual(file.now(), [OUT])
            self.assertEqual(file.read(10), "")
            file.write(GET_CAPABILITY)
            self.assertGreater(len(file.read(4096)), 20)

    @staticmethod
    def interrupted(*_):
        raise InterruptedError

    def test_polls_do_not_wait_for_the_command(self):
        """Unlike the kernel's device, where each touch waits; and time-outs hold."""
        with contextlib.closing(File(NODE)) as file:
            file.nonblock()
            with self.standing_still():
                file.write(GET_CAPABILITY)
                self.assertEqual(file.now(), [])
                with self.assertRaises(OSError) as caught:
                    file.write(READ_PCR)
                self.assertEqual(caught.exception.errno, errno.EBUSY)
            self.assertEqual(file.poll(IN), [IN])
            self.assertGreater(len(file.read(4096)), 20)

    def test_what_differs(self):
        """Calls that never reach the node, and bytes of a size that no command has."""
        with contextlib.closing(File(NODE)) as file:
            self.assertEqual(file.write(b""), 0)  # EINVAL there
            file.write(GET_CAPABILITY)
            self.assertEqual(file.read(0), "")  # the response is gone there
            self.assertGreater(len(file.read(4096)), 20)
            file.write(NO_HANDLE)  # EINVAL there
            self.assertEqual(file.read(4096)[12:20], "000b01cb")
            self.assertEqual(os.lseek(file.fd, 0, os.SEEK_SET), 0)  # ESPIPE there
            with self.assertRaises(OSError) as caught:
                file.write(sized(GET_CAPABILITY, 9))  # goes to the TPM there
            self.assertEqual(caught.exception.errno, errno.EINVAL)


class Ends(unittest.TestCase):
    """What happens to open files when something ends."""

    def setUp(self):
        self.programs = Programs()
        self.addCleanup(self.programs.stop)

    def test_response_timeout(self):
        self.programs.stop_node()
        self.programs.start_node("--response-timeout", "1")
        with contextlib.closing(File(NODE)) as file:
            file.write(GET_CAPABILITY)
            wait_for("the time-out", lambda: file.now() == [OUT])
            self.assertEqual(file.read(10), "")
            file.write(GET_CAPABILITY)
            self.assertEqual(len(file.read(10)), 20)
            wait_for("the time-out", lambda: file.now() == [OUT])

    def test_tbsd_stops(self):
        file = File(NODE)
        self.addCleanup(file.close)
        file.write(GET_CAPABILITY)
        self.programs.tbsd.terminate()
        self.programs.tbsd.wait(DEADLINE)
        self.assertGreater(len(file.read(4096)), 20)
        with self.assertRaises(OSError) as caught:
            file.write(GET_CAPABILITY)
        self.assertEqual(caught.exception.errno, errno.EPIPE)
        with self.assertRaises(OSError) as caught:
            File(NODE)
        self.assertEqual(caught.exception.errno, errno.ENODEV)

    def test_the_node_is_killed(self):
        file = File(NODE)
        self.programs.node.kill()
        self.programs.node.wait(DEADLINE)
        wait_for("an error", lambda: isinstance(file.run([("write", GET_CAPABILITY)])[0][1], str))
        file.close()
        self.programs.start_node()
        with contextlib.closing(File(NODE)) as again:
            again.write(GET_CAPABILITY)

    def test_there_is_one_of_a_name(self):
        second = subprocess.run([os.environ["TBS_NODE"], "--socket", self.programs.node_socket], check=False,
                                stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual(second.returncode, 1)
        self.assertIn(b"another node has the name", second.stderr)
        with contextlib.closing(File(NODE)) as first:
            first.write(GET_CAPABILITY)


if __name__ == "__main__":
    unittest.main(verbosity=2)
