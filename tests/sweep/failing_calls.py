"""Steers the interposer (failing_calls.h): which program's calls of a function fail, from which one on, and how."""

import errno
import mmap
import os
import pathlib
import struct

NAME, FUNCTIONS = 32, 126
HEAD = struct.Struct(f"{NAME}s{NAME}siiiii")
COUNT = struct.Struct(f"{NAME}si")
SHORT, END = -1, -2
FOREVER = 1 << 30


def table():
    """The faults of each function (faults.txt)."""
    text = (pathlib.Path(__file__).parent / "faults.txt").read_text(encoding="ascii")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {words[0]: words[1:] for words in lines}


def number_of(fault):
    return {"short": SHORT, "end": END}.get(fault) or getattr(errno, fault)


class FailingCalls:
    """The memory that is shared with programs which `environment()` is given."""

    def __init__(self, folder, library, program=""):
        self._path, self._library = os.path.join(folder, "failing-calls"), library
        self._program = program
        with open(self._path, "wb") as file:
            file.truncate(HEAD.size + FUNCTIONS * COUNT.size)
        with open(self._path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self.disarm()

    def environment(self):
        return {"LD_PRELOAD": self._library, "SWEEP_STATE": self._path}

    def choose(self, program):
        """Whose calls: programs that start from now on look at it."""
        self._program = program
        self.disarm()

    def arm(self, function, number, fault, times=1):
        # The function comes last: a call that comes in between fails by no half of this.
        self._set("", number, times, number_of(fault))
        self._set(function, number, times, number_of(fault))

    def disarm(self):
        self._set("", 0, 0, 0)

    def end_fault(self):
        """Nothing fails any more; what has is still counted."""
        self._memory[NAME:2 * NAME] = bytes(NAME)

    def _set(self, function, number, times, fault):
        HEAD.pack_into(self._memory, 0, self._program.encode(), function.encode(), number, times, fault, 0, 0)

    def happened(self):
        return HEAD.unpack_from(self._memory, 0)[5]

    def reset_counts(self):
        self._memory[HEAD.size:] = bytes(FUNCTIONS * COUNT.size)

    def counts(self):
        entries = (COUNT.unpack_from(self._memory, HEAD.size + place * COUNT.size) for place in range(FUNCTIONS))
        return {name.rstrip(b"\0").decode(): calls for name, calls in entries if name.rstrip(b"\0")}

    def close(self):
        self._memory.close()
