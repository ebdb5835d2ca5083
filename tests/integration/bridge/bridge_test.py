#!/usr/bin/env python3
"""tbsctl bridge between the real tbsd and clients that know sockets alone: the three protocols, what
belongs to whom, cancels, localities, clients that leave in the middle, and garbage.

TBSD and TBSCTL in the environment name the programs, TBS_TEST_DEVICE the TPM: embedded or swtpm."""

import json
import os
import random
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

TBSD = os.environ["TBSD"]
TBSCTL = os.environ["TBSCTL"]
DEVICE = os.environ.get("TBS_TEST_DEVICE", "embedded")
DEADLINE = 60  # against hanging only

GET_RANDOM = bytes.fromhex("80010000000c0000017b0008")
STARTUP = bytes.fromhex("80010000000c000001440000")
RC_CANCELED, RC_LOCALITY, RC_COMMAND_SIZE, RC_REFERENCE_H0 = 0x909, 0x907, 0x142, 0x910


def create_primary():
    sensitive = struct.pack(">HHH", 4, 0, 0)
    # TPMT_PUBLIC: ECC, SHA-256, a storage key, no policy; AES-128-CFB, no scheme, P-256, no KDF.
    public = struct.pack(">HHIH", 0x23, 0x0B, 0x00030472, 0)
    public += struct.pack(">HHHHHHHH", 6, 128, 0x43, 0x10, 3, 0x10, 0, 0)
    body = struct.pack(">I", 0x40000001) + struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
    body += sensitive + struct.pack(">H", len(public)) + public + struct.pack(">HI", 0, 0)
    return struct.pack(">HII", 0x8002, 10 + len(body), 0x131) + body


def read_public(handle):
    return struct.pack(">HIII", 0x8001, 14, 0x173, handle)


def flush_context(handle):
    return struct.pack(">HIII", 0x8001, 14, 0x165, handle)


def pcr_reset(pcr):
    return struct.pack(">HIIIIIHBH", 0x8002, 27, 0x13D, pcr, 9, 0x40000009, 0, 0, 0)


def code(response):
    return struct.unpack_from(">I", response, 6)[0]


def eventually(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited for in vain")
        time.sleep(0.01)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
        return [int(child) for child in text.read().split()]


class Running:
    """A program of the test's own, with its output in a file."""

    def __init__(self, log, *command):
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output)
        self.log = log

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as text:
            return text.read()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(DEADLINE)


class Service:
    """A TPM and a tbsd on it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tbs-bridge-")
        self.socket = os.path.join(self.folder, "tbsd.sock")
        # Where a program goes that is not told: root to the administrators' socket.
        name = "admin.sock" if os.getuid() == 0 else "tbsd.sock"
        self.client_socket = os.path.join(self.folder, name)
        self.swtpm = None
        device = "embedded"
        if DEVICE == "swtpm":
            path = os.path.join(self.folder, "tpm")
            os.mkdir(path + ".state")
            self.swtpm = Running(os.path.join(self.folder, "swtpm.log"), "swtpm", "socket", "--tpm2",
                                 "--server", f"type=unixio,path={path}",
                                 "--ctrl", f"type=unixio,path={path}.ctrl",
                                 "--tpmstate", f"dir={path}.state", "--flags", "not-need-init")
            eventually(lambda: os.path.exists(path) and os.path.exists(path + ".ctrl"))
            device = f"swtpm:path={path}"
        self.device = device
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        self.daemon = Running(os.path.join(self.folder, "tbsd.log"), TBSD, "--config", "/dev/null",
                              "--device", self.device, "--socket", self.socket,
                              "--state-dir", self.folder)
        eventually(lambda: self.status().get("device_state") == "ready")

    def ask(self, what):
        ran = subprocess.run([TBSCTL, "--json", "--socket", self.client_socket, what],
                             capture_output=True, timeout=DEADLINE, check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else {}

    def status(self):
        return self.ask("status")

    def contexts(self):
        return self.ask("contexts") or []

    def tpm_process(self):
        return self.swtpm.process.pid if self.swtpm else children_of(self.daemon.process.pid)[0]

    def freeze(self):
        """From now on a command stays on the TPM."""
        before = None
        while before != (before := self.status()["transmitted"]):
            time.sleep(0.3)
        os.kill(self.tpm_process(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.tpm_process(), signal.SIGCONT)

    def stop(self):
        self.daemon.stop()
        if self.swtpm:
            self.swtpm.stop()
        shutil.rmtree(self.folder)


class Wire:
    """A connected socket that takes and gives whole answers."""

    def __init__(self, address):
        if "/" in address:
            self.socket = socket.socket(socket.AF_UNIX)
            target = address
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.socket(socket.AF_INET)
            target = (host, int(port))
        self.socket.settimeout(DEADLINE)
        self.socket.connect(target)

    def send(self, data):
        self.socket.sendall(data)

    def take(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def is_closed(self):
        """Waits for the end; what comes before it is of no interest."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.socket.close()


class Raw(Wire):
    def response(self):
        head = self.take(6)
        return head + self.take(struct.unpack(">I", head[2:])[0] - 6)

    def call(self, command):
        self.send(command)
        return self.response()


class Mssim(Wire):
    def begin(self, command, locality=0):
        self.send(struct.pack(">IBI", 8, locality, len(command)) + command)

    def response(self):
        response = self.take(struct.unpack(">I", self.take(4))[0])
        assert self.take(4) == bytes(4)
        return response

    def call(self, command, locality=0):
        self.begin(command, locality)
        return self.response()


class Numbers(Wire):
    """A platform port or a control channel."""

    def ask(self, *words, extra=b"", answer=1):
        self.send(struct.pack(f">{len(words)}I", *words) + extra)
        return struct.unpack(f">{answer}I", self.take(4 * answer))


class WithBridge(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.stop)
        self.bridges = 0

    def path(self, name):
        return os.path.join(self.service.folder, name)

    def bridge(self, *arguments, address=None):
        """Starts a bridge; the address of its first channel, and of its second."""
        self.bridges += 1
        log = self.path(f"bridge{self.bridges}")
        running = Running(log + ".out", TBSCTL, "--json", "--socket", self.service.client_socket, "bridge",
                          *arguments, address or log)

        def started():
            self.assertIsNone(running.process.poll(), running.text())
            return running.text().rstrip().endswith("}")
        eventually(started)
        said = json.loads(running.text())
        self.addCleanup(lambda: self.assertEqual(running.stop(), 0, running.text()))
        self.running = running
        return said["listen"], said.get("control")

    def open(self, kind, address):
        wire = kind(address)
        self.addCleanup(wire.close)
        return wire

    def bridge_contexts(self):
        return self.service.contexts()

    def on_the_tpm(self):
        return [each for each in self.bridge_contexts() if each["state"] == "running"]

    def ok(self, response):
        self.assertEqual(code(response), 0, response.hex())
        return response


class RawCommands(WithBridge):
    def test_unix_socket(self):
        address, _ = self.bridge()
        self.assertEqual(stat.S_IMODE(os.stat(address).st_mode), 0o600)
        self.assertEqual(len(self.ok(self.open(Raw, address).call(GET_RANDOM))), 20)
        self.assertEqual(self.running.stop(), 0)
        self.assertFalse(os.path.exists(address))

    def test_mode(self):
        address, _ = self.bridge("--mode", "660")
        self.assertEqual(stat.S_IMODE(os.stat(address).st_mode), 0o660)

    def test_a_file_left_behind_is_replaced_and_another_one_is_not(self):
        path = self.path("left")
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()
        self.bridge(address=path)
        refused = subprocess.run([TBSCTL, "bridge", path], capture_output=True, check=False,
                                 timeout=DEADLINE)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"in use", refused.stderr)
        self.ok(self.open(Raw, path).call(GET_RANDOM))

    def test_other_machines_are_kept_out(self):
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"]:
            refused = subprocess.run([TBSCTL, "bridge", address], capture_output=True, check=False,
                                     timeout=DEADLINE)
            self.assertEqual(refused.returncode, 1, address)
            self.assertIn(b"--listen-any", refused.stderr)
        address, _ = self.bridge("--listen-any", address="0.0.0.0:0")
        self.ok(self.open(Raw, address.replace("0.0.0.0", "127.0.0.1")).call(GET_RANDOM))

    def test_pieces_and_several_commands_at_once(self):
        for address in [self.bridge()[0], self.bridge(address="0")[0]]:
            client = self.open(Raw, address)
            for at in range(len(GET_RANDOM)):
                client.send(GET_RANDOM[at:at + 1])
            self.ok(client.response())
            client.send((GET_RANDOM + STARTUP) * 100)
            for _ in range(100):
                self.assertEqual(len(self.ok(client.response())), 20)
                self.assertEqual(len(self.ok(client.response())), 10)

    def test_each_connection_is_a_context(self):
        address, _ = self.bridge()
        one, other = self.open(Raw, address), self.open(Raw, address)
        handle = struct.unpack_from(">I", self.ok(one.call(create_primary())), 10)[0]
        self.assertEqual(handle, 0x80000000)
        self.ok(one.call(read_public(handle)))
        self.assertNotEqual(code(other.call(read_public(handle))), 0)
        self.assertEqual(len(self.bridge_contexts()), 2)
        one.close()
        eventually(lambda: len(self.bridge_contexts()) == 1)

    def test_persistent(self):
        address, _ = self.bridge("--persistent")
        for call in range(3):
            client = self.open(Raw, address)
            if call == 0:
                self.ok(client.call(create_primary()))
            self.ok(client.call(read_public(0x80000000)))
            client.close()
        self.assertEqual(len(self.bridge_contexts()), 1)

    def test_the_answer_to_a_client_that_sends_nothing_more(self):
        for address in [self.bridge()[0], self.bridge(address="0")[0]]:
            client = self.open(Raw, address)
            self.service.freeze()
            client.send(GET_RANDOM)
            client.socket.shutdown(socket.SHUT_WR)
            eventually(self.on_the_tpm)
            time.sleep(0.5)  # long enough for the bridge to look twice
            self.service.thaw()
            self.ok(client.response())
            self.assertTrue(client.is_closed())

    def test_a_client_that_leaves_in_the_middle(self):
        for options in [[], ["--persistent"]]:
            for where in [None, "0"]:
                address, _ = self.bridge(*options, address=where)
                neighbour = self.open(Raw, address)
                self.ok(neighbour.call(GET_RANDOM))
                client = self.open(Raw, address)
                self.service.freeze()
                client.send(create_primary())
                eventually(self.on_the_tpm)
                client.close()
                eventually(lambda: not self.on_the_tpm())
                self.service.thaw()
                self.ok(neighbour.call(GET_RANDOM))
                neighbour.close()
                self.running.stop()
                eventually(lambda: not self.bridge_contexts())

    def test_many_connections(self):
        address, _ = self.bridge(address="0")
        clients = [self.open(Raw, address) for _ in range(300)]
        for client in clients[:200]:
            client.send(GET_RANDOM * 3)
        for client in clients[:200]:
            for _ in range(3):
                self.ok(client.response())
            client.close()
        for client in clients[200:]:  # some of them had to wait for a place
            self.ok(client.call(GET_RANDOM))

    def test_garbage(self):
        address, _ = self.bridge()
        good = self.open(Raw, address)
        for garbage in [b"\0" * 10, b"\xff" * 100, b"\x80\x01\0\0\0\x09\0\0\1\x7b",
                        b"\x80\x01\0\0\x40\x01"]:
            bad = self.open(Raw, address)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        noise = random.Random(1)
        for _ in range(50):
            bad = self.open(Raw, address)
            try:
                bad.send(noise.randbytes(200))
            except (BrokenPipeError, ConnectionResetError):
                pass
            bad.close()
        self.ok(good.call(GET_RANDOM))
        self.assertIn("a client is disconnected", self.running.text())

    def test_daemon_that_comes_back(self):
        address, _ = self.bridge()
        persistent, _ = self.bridge("--persistent")
        own, shared = self.open(Raw, address), self.open(Raw, persistent)
        for client in [own, shared]:
            self.ok(client.call(GET_RANDOM))
        self.service.daemon.stop()
        own.send(GET_RANDOM)
        self.assertTrue(own.is_closed())
        self.service.start()
        self.ok(self.open(Raw, address).call(GET_RANDOM))
        self.ok(shared.call(GET_RANDOM))

    def test_priority(self):
        address, _ = self.bridge("--priority", "low")
        self.ok(self.open(Raw, address).call(GET_RANDOM))
        self.assertEqual([each["priority"] for each in self.bridge_contexts()], [100])


class Simulator(WithBridge):
    def setUp(self):
        super().setUp()
        self.command, self.platform = self.bridge("--protocol", "mssim", address="0")

    def test_what_a_client_does_first_and_last(self):
        client, platform = self.open(Mssim, self.command), self.open(Numbers, self.platform)
        client.send(struct.pack(">II", 15, 1))
        version, flags, end = struct.unpack(">III", client.take(12))
        self.assertEqual((version, flags, end), (1, 0x0B, 0))
        for signal_number in [1, 11, 2, 1, 11, 17, 18, 3, 4, 12, 13, 14, 10]:
            self.assertEqual(platform.ask(signal_number), (0,))
        self.assertEqual(platform.ask(25, answer=6), (16, 0, 0, 0, 0, 0))
        self.assertEqual(platform.ask(26, 0x40000110, answer=2), (0, 0))
        self.ok(client.call(STARTUP))
        self.ok(client.call(GET_RANDOM))
        for each in [client, platform]:
            each.send(struct.pack(">I", 20))
            self.assertTrue(each.is_closed())
        self.ok(self.open(Mssim, self.command).call(GET_RANDOM))

    def test_a_power_cycle_flushes_what_the_program_owns(self):
        for platform_signals in ((2, 1), (17,), (18,)):
            clients = [self.open(Mssim, self.command) for _ in range(2)]
            platform = self.open(Numbers, self.platform)
            for client in clients:
                self.ok(client.call(create_primary()))
            for number in platform_signals:
                self.assertEqual(platform.ask(number), (0,))
            for client in clients:
                self.ok(client.call(STARTUP))
                self.assertEqual(code(client.call(read_public(0x80000000))), RC_REFERENCE_H0)
                self.ok(client.call(create_primary()))
                client.close()
            platform.close()

    def test_a_power_cycle_concerns_one_program(self):
        other = subprocess.Popen(
            [sys.executable, "-c",
             "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
             "s.settimeout(60); s.sendall(bytes.fromhex('00000002'));"
             "print(s.recv(4).hex(), flush=True); sys.stdin.read()",
             *self.platform.rsplit(":", 1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(other.communicate)
        client = self.open(Mssim, self.command)
        self.ok(client.call(create_primary()))
        self.assertEqual(other.stdout.readline().strip(), "00000000")
        self.ok(client.call(read_public(0x80000000)))

    def test_a_power_cycle_ends_the_command_on_the_tpm(self):
        client, platform = self.open(Mssim, self.command), self.open(Numbers, self.platform)
        self.ok(client.call(create_primary()))
        self.service.freeze()
        client.begin(GET_RANDOM)
        eventually(self.on_the_tpm)
        self.assertEqual(platform.ask(2), (0,))
        self.assertEqual(code(client.response()), RC_CANCELED)
        self.service.thaw()
        self.assertEqual(code(client.call(read_public(0x80000000))), RC_REFERENCE_H0)

    def test_an_object_that_is_not_loaded(self):
        client = self.open(Mssim, self.command)
        for handle, read, flush in ((0x80000000, RC_REFERENCE_H0, 0x1CB), (0x80000003, 0x184, 0x1C4)):
            self.assertEqual(code(client.call(read_public(handle))), read)
            self.assertEqual(code(client.call(flush_context(handle))), flush)

    def test_locality(self):
        client = self.open(Mssim, self.command)
        self.assertEqual(code(client.call(pcr_reset(20))), RC_LOCALITY)
        self.ok(client.call(pcr_reset(20), locality=2))
        self.assertEqual(code(client.call(pcr_reset(20))), RC_LOCALITY)
        self.assertEqual(code(client.call(GET_RANDOM, locality=9)), RC_COMMAND_SIZE)

    def test_a_command_with_a_wrong_length(self):
        client = self.open(Mssim, self.command)
        for command in [b"", GET_RANDOM[:9], GET_RANDOM + b"x", GET_RANDOM[:-1]]:
            self.assertEqual(code(client.call(command)), RC_COMMAND_SIZE)
        self.assertEqual(code(client.call(bytes.fromhex("8001") + struct.pack(">I", 16384) +
                                          bytes(16378))), RC_COMMAND_SIZE)
        self.ok(client.call(GET_RANDOM))

    def test_cancel_concerns_the_program_that_asks(self):
        self.service.freeze()
        # Another process: a program with a command of its own.
        other = subprocess.Popen(
            [sys.executable, "-c",
             "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
             "s.sendall(bytes.fromhex(sys.argv[3])); print(s.recv(4096).hex())",
             *self.command.rsplit(":", 1), (struct.pack(">IBI", 8, 0, 12) + GET_RANDOM).hex()],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(other.wait)
        clients = [self.open(Mssim, self.command) for _ in range(2)]
        platform = self.open(Numbers, self.platform)
        for client in clients:
            client.begin(GET_RANDOM)

        # One on the TPM, the others behind it.
        def all_there():
            states = [each["state"] for each in self.bridge_contexts()]
            return sorted(states) == ["running", "waiting", "waiting"]
        eventually(all_there)
        self.assertEqual(platform.ask(9), (0,))
        self.assertEqual(platform.ask(10), (0,))
        for client in clients:
            self.assertEqual(code(client.response()), RC_CANCELED)
        self.service.thaw()
        answer = bytes.fromhex(other.communicate(timeout=DEADLINE)[0])
        self.assertEqual(code(answer[4:]), 0)
        self.ok(clients[0].call(GET_RANDOM))

    def test_garbage(self):
        good = self.open(Mssim, self.command)
        for garbage in [bytes(4), struct.pack(">I", 5), struct.pack(">IBI", 8, 0, 0xFFFFFFFF),
                        struct.pack(">II", 15, 0), struct.pack(">II", 16, 1 << 20)]:
            bad = self.open(Mssim, self.command)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        for garbage in [bytes(4), struct.pack(">I", 30), struct.pack(">I", 0xFFFFFFFF)]:
            bad = self.open(Numbers, self.platform)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        self.ok(good.call(GET_RANDOM))


class Swtpm(WithBridge):
    def setUp(self):
        super().setUp()
        self.data, self.control = self.bridge("--protocol", "swtpm")

    def test_control_commands(self):
        control = self.open(Numbers, self.control)
        capabilities = control.ask(1, answer=2)[1]
        self.assertEqual(capabilities & 0b101011, 0b101011)
        self.assertEqual(control.ask(2, 0), (0,))
        for harmless in [3, 10, 14, 9]:
            self.assertEqual(control.ask(harmless), (0,))
        self.assertEqual(control.ask(4, answer=2), (0, 0))
        self.assertEqual(control.ask(15, answer=2), (0, 0))
        self.assertEqual(control.ask(17, 0, answer=4), (0, 4096, 4096, 4096))
        for refused in [6, 8]:
            self.assertNotEqual(control.ask(refused), (0,))
        self.assertNotEqual(control.ask(7, 3, extra=b"abc"), (0,))
        self.assertNotEqual(control.ask(11, extra=b"\0"), (0,))
        self.assertNotEqual(control.ask(12, 0, 1, 0, answer=4)[0], 0)
        self.assertNotEqual(control.ask(19, 0)[0], 0)
        data = self.open(Raw, self.data)
        self.ok(data.call(STARTUP))
        self.ok(data.call(GET_RANDOM))

    def test_locality(self):
        data, control = self.open(Raw, self.data), self.open(Numbers, self.control)
        self.assertEqual(control.ask(5, extra=b"\2"), (0,))
        control.close()  # as clients do that connect for every request
        self.ok(data.call(pcr_reset(20)))
        self.assertNotEqual(self.open(Numbers, self.control).ask(5, extra=b"\5"), (0,))
        self.ok(data.call(pcr_reset(20)))
        self.assertEqual(self.open(Numbers, self.control).ask(5, extra=b"\0"), (0,))
        self.assertEqual(code(data.call(pcr_reset(20))), RC_LOCALITY)

    def test_cancel(self):
        data, control = self.open(Raw, self.data), self.open(Numbers, self.control)
        self.service.freeze()
        data.send(GET_RANDOM)
        eventually(self.on_the_tpm)
        self.assertEqual(control.ask(9), (0,))
        self.assertEqual(code(data.response()), RC_CANCELED)
        self.service.thaw()
        self.ok(data.call(GET_RANDOM))

    def test_garbage(self):
        control = self.open(Numbers, self.control)
        control.send(struct.pack(">I", 99))
        self.assertEqual(control.take(4), struct.pack(">I", 10))
        self.assertTrue(control.is_closed())
        control = self.open(Numbers, self.control)
        control.send(struct.pack(">II", 7, 1 << 20))
        self.assertTrue(control.is_closed())
        self.ok(self.open(Raw, self.data).call(GET_RANDOM))


if __name__ == "__main__":
    unittest.main(verbosity=2)
