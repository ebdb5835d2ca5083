"""TPMs in software for tbsctl's tests, which can be stopped in their tracks and put into failure mode. Each
test has its own, in the folder that it names."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

DEADLINE = 60  # against hanging only
RC_FAILURE = 0x101
GET_CAPABILITY, GET_TEST_RESULT = 0x17A, 0x17C


def eventually(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("waited for in vain")
        time.sleep(0.02)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


class Frozen:
    """A process that stands still until the end of the block."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        # The signal is sent, not yet obeyed.
        eventually(self._stands)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)

    def _stands(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"


@contextlib.contextmanager
def with_a_running_command(tpm_process, begin, state, end):
    """In the block a command that begin() sends is on the TPM, which stands still: state() is "running". A TPM that
    was stopped while the daemon had something on it goes on, and it is tried again; end() takes the response."""
    until = time.monotonic() + DEADLINE
    while True:
        with Frozen(tpm_process):
            begin()
            eventually(lambda: state() in ("running", "waiting"))
            running = state() == "running"
            if running:
                yield
        end()
        if running:
            return
        if time.monotonic() > until:
            raise TimeoutError("the command never ran")


class Swtpm:
    def __init__(self, folder):
        self.path = os.path.join(folder, "swtpm.sock")
        state = os.path.join(folder, "swtpm-state")
        os.mkdir(state)
        self.log = open(os.path.join(folder, "swtpm.log"), "wb")
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--server", f"type=unixio,path={self.path}",
             "--ctrl", f"type=unixio,path={self.path}.ctrl", "--tpmstate", f"dir={state}",
             "--flags", "not-need-init"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        eventually(lambda: os.path.exists(self.path) and os.path.exists(self.path + ".ctrl"))
        self.device = f"swtpm:path={self.path}"

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class FailingTpm:
    """Between tbsd and a swtpm: when told so, a TPM in failure mode, which knows two commands only."""

    def __init__(self, folder, swtpm):
        self.fails = False
        self.swtpm = swtpm
        self.path = os.path.join(folder, "failing.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.device = f"swtpm:path={self.path},ctrl={swtpm.path}.ctrl"
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with client, socket.socket(socket.AF_UNIX) as server:
                try:
                    server.connect(self.swtpm.path)
                    while command := self._message(client):
                        client.sendall(self._answer(command, server))
                except OSError:
                    pass

    def _answer(self, command, server):
        if self.fails and int.from_bytes(command[6:10], "big") not in (GET_CAPABILITY, GET_TEST_RESULT):
            return b"\x80\x01" + (10).to_bytes(4, "big") + RC_FAILURE.to_bytes(4, "big")
        server.sendall(command)
        return self._message(server)

    @staticmethod
    def _message(stream):
        data = b""
        while len(data) < 10 or len(data) < int.from_bytes(data[2:6], "big"):
            piece = stream.recv(4096)
            if not piece:
                return b""
            data += piece
        return data
