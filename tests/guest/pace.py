"""The pace of the emulated TPM, and the guest's wishes about it.

Stopping and continuing the emulator's process in a duty cycle makes its commands last seconds;
stopping it altogether is a TPM that does not answer. The guest asks by lines on a virtio port (see
`emulator`); each is answered `ok` or `error WHY` after the change is in force.
"""

import os
import re
import signal
import time


class Pace:
    """Decides when the emulator runs. Call `step` when `wake` has come."""

    def __init__(self, pid, cycle):
        self._pid = pid
        self._default_cycle = cycle
        self._cycle = None  # (run, stop) in seconds while slow
        self._thaw_at = None  # None: not frozen
        self._stopped = False
        self.wake = None  # monotonic time of the next step

    def request(self, line):
        """Carries out one line of the guest and returns the answer."""
        verb, *arguments = line.split() or [""]
        verbs = {"ping": lambda: None, "slow": self._slow, "freeze": self._freeze,
                 "thaw": self.thaw}
        if verb not in verbs:
            return f"error no such request: {line!r}"
        try:
            verbs[verb](*arguments)
        except (TypeError, ValueError) as error:
            return f"error {line!r}: {error}"
        return "ok"

    def step(self):
        """Starts the next phase of the cycle, or ends a freeze whose time is over."""
        now = time.monotonic()
        if self._thaw_at is not None:
            if now < self._thaw_at:
                return
            self._thaw_at = None
        if self._cycle is None:
            self._let_run()
            self.wake = None
            return
        run, stop = self._cycle
        self._signal(not self._stopped)
        self.wake = now + (stop if self._stopped else run)

    def full_speed(self):
        """Whatever was asked, the emulator runs from now on."""
        self._cycle = None
        self.thaw()

    def thaw(self):
        self._thaw_at = None
        self._let_run()
        self.wake = time.monotonic() if self._cycle else None

    def _slow(self, state, cycle=None):
        if state == "on":
            self._cycle = parse_cycle(cycle) if cycle else self._default_cycle
        elif state == "off" and cycle is None:
            self._cycle = None
        else:
            raise ValueError("say on or off")
        if self._thaw_at is None:
            self.step()

    def _freeze(self, milliseconds="inf"):
        self._thaw_at = time.monotonic() + float(milliseconds) / 1000
        self.wake = None if milliseconds == "inf" else self._thaw_at
        self._signal(stop=True)

    def _let_run(self):
        self._signal(stop=False)

    def _signal(self, stop):
        self._stopped = stop
        try:
            os.kill(self._pid, signal.SIGSTOP if stop else signal.SIGCONT)
        except ProcessLookupError:
            pass  # the machine notices by itself that its TPM has gone


def parse_cycle(text):
    """Reads RUN_MS:STOP_MS into seconds. Raises ValueError."""
    match = re.fullmatch(r"([1-9]\d{0,4}):([1-9]\d{0,4})", text)
    if match is None:
        raise ValueError("a cycle is RUN_MS:STOP_MS, as in 5:95")
    return int(match[1]) / 1000, int(match[2]) / 1000
