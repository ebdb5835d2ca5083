"""tbsctl's subcommands with a call that fails. The daemon is well all the time."""

import json
import os
import re
import subprocess
import threading

import client
import failing_calls
from daemon import DEADLINE, Daemon
from outcome import Outcome, judge_end

# Each ends by itself. What is printed by one that succeeds is what it prints without a fault, as far as it does
# not change from one run to the next.
SUBCOMMANDS = {
    "info": ["info"],
    "status": ["--json", "status"],
    "health": ["health"],
    "contexts": ["--json", "contexts"],
    "limits": ["--json", "limits"],
    "events": ["--json", "events"],
    "lockout": ["--json", "lockout"],
    "metrics": ["metrics", "--from", "{folder}/metrics.sock"],
    "metrics-file": ["metrics", "--from", "{folder}/metrics.sock", "--textfile", "{folder}/tbs.prom"],
    "policy": ["policy", "check"],
    "submit": ["submit", "80010000000c0000017b0010"],
    "random": ["random", "64"],
    "explain": ["explain", "0x921"],
    "pcr": ["pcr", "sha256:0-7"],
    "capture": ["capture", "-w", "{folder}/capture.pcapng", "--count", "1"],
    "doctor": ["doctor"],
    "log": ["log"],
}
# What these print depends on the moment, or is what they find.
VARYING = {"tbsctl-contexts", "tbsctl-doctor", "tbsctl-events"}
EXIT_CODES = range(0, 7)


class Tbsctl:
    """A folder, a daemon, and a subcommand."""

    programs = ("tbsctl",)

    def __init__(self, folder, library):
        self.folder = folder
        self.calls = failing_calls.FailingCalls(folder, library, "tbsctl")
        self.daemon = Daemon(folder, more=["--metrics-socket", os.path.join(folder, "metrics.sock")])
        self.daemon.is_up()
        self._ends = threading.Event()
        self._others = threading.Thread(target=self._send)
        self._others.start()
        self.happened = False
        self.usual = None

    def _send(self):
        """There is something to capture and to tell of."""
        context = client.Context(client.Library(os.environ["LIBTBS"], self.daemon.admin_socket))
        while not self._ends.wait(0.01):
            context.random()
        context.close()

    def close(self):
        self._ends.set()
        self._others.join()
        self.daemon.kill()
        self.calls.close()

    def invoke(self):
        """The exit code, what was printed and what was complained of."""
        words = [word.format(folder=self.folder) for word in SUBCOMMANDS[self.name.removeprefix("tbsctl-")]]
        printed, complained = os.path.join(self.folder, "printed"), os.path.join(self.folder, "complained")
        with open(printed, "wb") as out, open(complained, "wb") as notes:
            try:
                code = subprocess.run([os.environ["TBSCTL"], "--socket", self.daemon.admin_socket, *words],
                                      stdin=subprocess.DEVNULL, stdout=out, stderr=notes, check=False,
                                      timeout=DEADLINE, env={**os.environ, **self.calls.environment()}).returncode
            except subprocess.TimeoutExpired:
                code = None
        with open(printed, encoding="utf-8", errors="replace") as out, \
                open(complained, encoding="utf-8", errors="replace") as notes:
            return code, out.read(), notes.read()

    def count(self, _program):
        self.calls.reset_counts()
        code, _, complaint = self.invoke()
        if code is None or code < 0:
            raise SystemExit(f"{self.name} without a fault ends with {code}: {complaint}")
        return self.calls.counts()

    def fail(self, _program, function, number, fault, times):
        if self.usual is None:
            self.usual = self.invoke()
        self.calls.arm(function, number, fault, times)
        code, printed, complaint = self.invoke()
        self.happened = self.calls.happened() > 0
        self.calls.disarm()
        text = complaint or printed
        if code is None:
            return Outcome("hangs", f"not within {DEADLINE} s", text)
        wrong = self.judge(code, printed, complaint)
        return Outcome(f"exit code {code}", wrong, f"{complaint.strip()} {printed[:200]}")

    def judge(self, code, printed, complaint):
        wrong = judge_end(code, complaint + printed)
        if wrong:
            return wrong
        if code not in EXIT_CODES:
            return f"no exit code of tbsctl's: {code}"
        if "internal error" in complaint:
            return "it says nothing that helps"
        comparable = self.name not in VARYING and code == self.usual[0] and not complaint
        if comparable and shape(printed) != shape(self.usual[1]):
            return f"another output with the same exit code: {printed[:500]!r}"
        if self.daemon.ended() is not None:
            return "the daemon has ended"
        return ""


def shape(text):
    """What stays the same from one run to the next."""
    try:
        return sorted(json.loads(text))
    except (ValueError, TypeError):
        families = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP ")]
        if families:
            return families
        return sorted({re.sub(r"[0-9a-f]+", "0", line.split()[0]) for line in text.splitlines() if line.split()})


PHASES = [type(f"Tbsctl{name}", (Tbsctl,), {"name": f"tbsctl-{name}"}) for name in SUBCOMMANDS]
