#!/usr/bin/env python3
"""Runs each program of its arguments on a tbsd of our own, with a software TPM and an event log.

TBSD and LIBTBS in the environment name the daemon and the library."""

import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from listening import listens  # noqa: E402

DEADLINE = 60  # against hanging only


def start(folder):
    log = os.path.join(folder, "log")
    with open(log, "wb") as file:
        file.write(bytes(range(256)) * 300)
    socket = os.path.join(folder, "tbsd.sock")
    daemon = subprocess.Popen(
        [os.environ["TBSD"], "--config", "/dev/null", "--device", "embedded", "--socket", socket,
         "--event-log", log, "--state-dir", folder, "--log-readers", "everyone"],
        stderr=subprocess.DEVNULL)
    end = time.monotonic() + DEADLINE
    while not listens(socket) and time.monotonic() < end:
        time.sleep(0.02)
    return daemon, socket


def client_socket(socket):
    """Where a program goes that is not told: root to the administrators' socket."""
    return os.path.join(os.path.dirname(socket), "admin.sock") if os.getuid() == 0 else socket


def run(program, socket):
    command = [sys.executable, program] if program.endswith(".py") else [program]
    code = subprocess.run(command, env={**os.environ, "TBS_SOCKET": client_socket(socket)},
                          timeout=DEADLINE, check=False).returncode
    print(os.path.basename(program) + ":", "good" if code == 0 else f"exit code {code}")
    return code == 0


def main():
    with tempfile.TemporaryDirectory(prefix="tbs-styles-") as folder:
        daemon, socket = start(folder)
        try:
            results = [run(program, socket) for program in sys.argv[1:]]
        finally:
            daemon.terminate()
            daemon.wait(DEADLINE)
    return 0 if results and all(results) and daemon.returncode == 0 else 1


sys.exit(main())
