"""A tbsd of a test, on the embedded TPM, in a folder of its own."""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "../support"))
from listening import listens  # noqa: E402

DEADLINE = float(os.environ.get("SWEEP_DEADLINE", "120"))  # against hanging only


class Hangs(Exception):
    pass


def eventually(what, condition):
    end = time.monotonic() + DEADLINE
    pause = 0.001
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Hangs(f"{what}: not within {DEADLINE} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Daemon:
    def __init__(self, folder, environment=None, device=None, state=None, more=()):
        self.socket = os.path.join(folder, "tbsd.sock")
        self.admin_socket = os.path.join(folder, "admin.sock")
        self._log_path = os.path.join(folder, "tbsd.log")
        state = state or os.path.join(folder, "state")
        os.makedirs(state, exist_ok=True)
        command = [os.environ["TBSD"], "--config", "/dev/null", "--socket", self.socket, "--device",
                   device or f"embedded:{folder}/tpm", "--state-dir", state, *more]
        inherited = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        with open(self._log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**inherited, **(environment or {})})

    def is_up(self):
        """Waits until it listens or has ended; whether it listens."""
        eventually("tbsd listens or ends", lambda: self.ended() is not None or listens(self.admin_socket))
        return self.ended() is None

    def ended(self):
        return self.process.poll()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """By SIGTERM; the exit code."""
        if self.ended() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Hangs(f"tbsd has not ended within {DEADLINE} s") from None

    def kill(self):
        if self.ended() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as file:
            return file.read()
