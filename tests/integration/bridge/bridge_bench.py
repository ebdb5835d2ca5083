"""What the tests of tbsctl bridge share: a tbsd on a TPM, bridges to it, and clients that know sockets alone.

TBSD and TBSCTL in the environment name the programs, TBS_TEST_DEVICE the TPM: embedded or swtpm."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

TBSD = os.environ["TBSD"]
TBSCTL = os.environ["TBSCTL"]
DEVICE = os.environ.get("TBS_TEST_DEVICE", "embedded")
DEADLINE = 60  # against hanging only

GET_RANDOM = bytes.fromhex("80010000000c0000017b0008")
STARTUP = bytes.fromhex("80010000000c000001440000")
RC_CANCELED, RC_LOCALITY, RC_COMMAND_SIZE, RC_INITIALIZE, RC_REFERENCE_H0 = 0x909, 0x907, 0x142, 0x100, 0x910
RC_COMMAND_CODE = 0x143
INDEX = 0x01800001  # of NV memory


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


def define_index():
    """INDEX, which the owner writes and reads."""
    public = struct.pack(">IHIHH", INDEX, 0x0B, 0x00020002, 0, 8)
    tail = struct.pack(">IHBHHH", 0x40000009, 0, 0, 0, 0, len(public)) + public
    return struct.pack(">HIIII", 0x8002, 18 + len(tail), 0x12A, 0x40000001, 9) + tail


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


def listens(path):
    """A socket is there before anybody listens on it: the fourth field says who does."""
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        return any(line.endswith(f" {path}\n") and int(line.split()[3], 16) & 0x10000 for line in table)


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
            eventually(lambda: listens(path) and listens(path + ".ctrl"))
            device = f"swtpm:path={path}"
        self.device = device
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self, *options):
        self.daemon = Running(os.path.join(self.folder, "tbsd.log"), TBSD, "--config", "/dev/null",
                              "--device", self.device, "--socket", self.socket,
                              "--state-dir", self.folder, *options)
        eventually(lambda: self.status().get("device_state") == "ready")

    def ask(self, what):
        ran = subprocess.run([TBSCTL, "--json", "--socket", self.client_socket, what],
                             capture_output=True, timeout=DEADLINE, check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else {}

    def status(self):
        return self.ask("status")

    def held(self):
        """Objects, sessions and those that were saved and are nobody's, of all users."""
        kinds = ("objects-per-user", "sessions-per-user", "orphans-per-user")
        return sum(each["used"] for each in self.ask("limits") if each["name"] in kinds)

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
            self.swtpm.stop(signal.SIGKILL)  # 0.10 does not end of a SIGTERM
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
    def begin(self, command):
        self.send(command)

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
