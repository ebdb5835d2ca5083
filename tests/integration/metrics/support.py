"""What the tests of metrics have in common: a tbsd of their own with a metrics' socket, a reader of
pages, and a relay in front of a swtpm that counts what goes through."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../tbsctl"), os.path.join(HERE, "../../support")]
import wire  # noqa: E402
from listening import listens  # noqa: E402

TBSD = os.environ["TBSD"]
TBSCTL = os.environ.get("TBSCTL")
DEADLINE = 120  # against hanging only


def eventually(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def folder_of(test):
    folder = tempfile.mkdtemp(prefix="tbs-metrics-")
    os.chmod(folder, 0o755)
    test.addCleanup(shutil.rmtree, folder)
    return folder


class Daemon:
    """Stopped at the end of the test."""

    def __init__(self, test, device="embedded", arguments=(), folder=None, metrics=True, policies=None):
        self.folder = folder or folder_of(test)
        self.socket = os.path.join(self.folder, "tbsd.sock")
        self.admin_socket = os.path.join(self.folder, "admin.sock")
        self.metrics_socket = os.path.join(self.folder, "metrics.sock")
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        test.addCleanup(self.log.close)
        self.process = subprocess.Popen(
            [TBSD, "--config", "/dev/null", "--policy-dir", policies or self.folder, "--tenants-dir", self.folder,
             "--state-dir", self.folder, "--device", device, "--socket", self.socket,
             *(["--metrics-socket", self.metrics_socket] if metrics else []), *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        test.addCleanup(self.stop)
        if not eventually(lambda: listens(self.socket) or self.process.poll() is not None):
            raise RuntimeError("tbsd does not listen")
        if self.process.poll() is not None:
            raise RuntimeError("tbsd has ended: " + self.text_of_log())
        wire.Client(self.socket).close()  # answered when the TPM has been started

    def text_of_log(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def client(self):
        return wire.Client(self.socket)

    def page(self, accept=None):
        return page_at(self.metrics_socket, accept)

    def samples(self):
        return samples_of(self.page())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def connect(path):
    reader = socket.socket(socket.AF_UNIX)
    # With a deadline it would not wait where others wait as well.
    reader.connect(path)
    reader.settimeout(DEADLINE)
    return reader


def everything(reader):
    """What comes until the other side closes, however it does."""
    answer = b""
    try:
        while piece := reader.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def ask(path, request):
    with connect(path) as reader:
        try:
            reader.sendall(request)
        except BrokenPipeError:
            pass  # it was turned away
        return everything(reader)


def page_at(path, accept=None):
    headers = f"Accept: {accept}\r\n" if accept else ""
    answer = ask(path, f"GET /metrics HTTP/1.1\r\nHost: tbsd\r\n{headers}\r\n".encode())
    head, _, page = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    return page.decode()


def samples_of(page):
    """By what stands before the value: name and labels."""
    samples = {}
    for line in page.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in samples, name
            samples[name] = float(value)
    return samples


def labelled(samples, name, label):
    """The values of one label, for a family that has no other."""
    pattern = re.compile(re.escape(name) + r'\{' + label + r'="(.*)"\}')
    return {found[1]: value for sample, value in samples.items()
            if (found := pattern.fullmatch(sample))}


class Swtpm:
    def __init__(self, test, folder):
        state = os.path.join(folder, "swtpm")
        os.mkdir(state)
        self.data = os.path.join(folder, "swtpm.sock")
        said = subprocess.run(["swtpm", "socket", "--tpm2", "--print-capabilities"], check=True,
                              capture_output=True, encoding="utf-8").stdout
        flags = "not-need-init"
        if "disable-auto-shutdown" in said:
            flags += ",disable-auto-shutdown"
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--server", "type=unixio,path=" + self.data, "--ctrl",
             "type=unixio,path=" + self.data + ".ctrl", "--tpmstate", "dir=" + state, "--flags", flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        test.addCleanup(self._end)
        assert eventually(lambda: os.path.exists(self.data) and os.path.exists(self.data + ".ctrl"))

    def _end(self):
        self.process.kill()  # swtpm 0.10 does not end of a SIGTERM
        self.process.wait()


class Relay:
    """Between tbsd and a swtpm: passes everything on, and tells `saw` each command with its response."""

    def __init__(self, test, folder, swtpm, saw):
        self.path = os.path.join(folder, "relay.sock")
        self.saw = saw
        self.stopping = False
        self.listeners = []
        self.threads = []
        for suffix, move in (("", self._command), (".ctrl", self._control)):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.path + suffix)
            listener.listen()
            self.listeners.append(listener)
            thread = threading.Thread(target=self._serve, args=(listener, swtpm.data + suffix, move))
            thread.start()
            self.threads.append(thread)
        test.addCleanup(self._stop)

    def _stop(self):
        self.stopping = True
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self.threads:
            thread.join()

    def _serve(self, listener, path, move):
        while not self.stopping:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, connect(path) as tpm:
                try:
                    while move(client, tpm):
                        pass
                except OSError:
                    pass

    def _command(self, client, tpm):
        command = message(client)
        if not command:
            return False
        tpm.sendall(command)
        response = message(tpm)
        if not response:
            return False
        self.saw(command, response)
        client.sendall(response)
        return True

    @staticmethod
    def _control(client, tpm):
        request = client.recv(4096)
        if not request:
            return False
        tpm.sendall(request)
        client.sendall(tpm.recv(4096))
        return True


def message(stream):
    """A TPM's command or response; empty at the end."""
    text = exactly(stream, 10)
    return text + exactly(stream, struct.unpack(">I", text[2:6])[0] - 10) if text else b""


def exactly(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            return b""
        data += piece
    return data
