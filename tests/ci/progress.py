#!/usr/bin/env python3
"""Shows how far a long command is: progress.py [--log FILE] NAME COMMAND...

On a terminal that is one line, which changes, with the time that is left. Elsewhere it is a line every
half minute, so that nobody waits in front of nothing. What the command prints besides its steps is
passed on, or written to the file.

A step is a line "@12/345 what" (ninja with NINJA_STATUS='@%f/%t ', tidy.py), a line of Meson's tests,
or a status line of apt."""

import os
import re
import selectors
import shutil
import subprocess
import sys
import time

STEP = re.compile(r"@(\d+)/(\d+) (.*)")
TEST = re.compile(r"\s*(\d+)/(\d+) (\S.*?)\s{2,}(?:OK|SKIP|EXPECTEDFAIL)\s.*")
APT = re.compile(r"(?:dl|pm)status:[^:]*:([0-9.]+):(.*)")
NOISE = re.compile(r"ninja: (Entering directory .*|no work to do\.)|")
PAUSE = 30  # seconds between two lines where there is no terminal


def duration(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


class Progress:
    """What is known about the steps, and one line about it."""

    def __init__(self, name, start):
        self.name = name
        self.start = start
        self.first = None  # (time, steps) when the first step ended
        self.done = self.total = 0
        self.text = ""

    def take(self, line, now):
        """Whether the line is a step and nothing else."""
        found = STEP.fullmatch(line) or TEST.fullmatch(line)
        if found:
            self.done, self.total, self.text = int(found[1]), int(found[2]), found[3]
        else:
            found = APT.fullmatch(line)
            if not found:
                return False
            self.done, self.total, self.text = int(float(found[1])), 100, found[2]
        if self.first is None or self.done < self.first[1]:
            self.first = (now, self.done)
        return True

    def left(self, now):
        """Seconds, as the steps until now took; None when nobody can know."""
        if self.first is None or self.done <= self.first[1]:
            return None
        began, steps = self.first
        return (now - began) / (self.done - steps) * (self.total - self.done)

    def line(self, now):
        if not self.total:
            return f"{self.name}: {duration(now - self.start)}"
        left = self.left(now)
        rest = "" if left is None else f", about {duration(left)} left"
        return f"{self.name}: {self.done} of {self.total}{rest}"


class Terminal:
    """One line that changes."""

    def __init__(self, out):
        self.out = out

    def show(self, progress, now):
        text = f"{progress.line(now)}  {progress.text}"
        width = shutil.get_terminal_size().columns - 1
        self.out.write("\r\x1b[K" + text[:width])
        self.out.flush()

    def pass_on(self, line):
        self.out.write("\r\x1b[K" + line + "\n")
        self.out.flush()

    def end(self):
        self.out.write("\r\x1b[K")
        self.out.flush()


class Log:
    """A line from time to time."""

    def __init__(self, out, now):
        self.out = out
        self.last = now

    def show(self, progress, now):
        if now - self.last >= PAUSE:
            self.pass_on(progress.line(now))
            self.last = now

    def pass_on(self, line):
        self.out.write(line + "\n")
        self.out.flush()

    def end(self):
        pass


def lines(stream):
    """The lines of a stream as they come, and None once a second while none comes."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        rest = b""
        while True:
            if not selector.select(1):
                yield None
                continue
            block = os.read(stream.fileno(), 65536)
            if not block:
                break
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace").rstrip("\r")
        if rest:
            yield rest.decode(errors="replace")


def main(name, command, log):
    now = time.monotonic()
    view = Terminal(sys.stdout) if sys.stdout.isatty() else Log(sys.stdout, now)
    pass_on = view.pass_on if log is None else lambda line: log.write(line + "\n")
    progress = Progress(name, now)
    environment = dict(os.environ, NINJA_STATUS="@%f/%t ", PYTHONUNBUFFERED="1")
    if sys.stdout.isatty():
        environment["CLICOLOR_FORCE"] = "1"
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment) as process:
        for line in lines(process.stdout):
            now = time.monotonic()
            if line is not None and not progress.take(line, now) and not NOISE.fullmatch(line):
                pass_on(line)
            view.show(progress, now)
    view.end()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


if __name__ == "__main__":
    arguments = sys.argv[1:]
    file = None
    if arguments[0] == "--log":
        file = open(arguments[1], "w", encoding="utf-8")
        del arguments[:2]
    try:
        sys.exit(main(arguments[0], arguments[1:], file))
    except KeyboardInterrupt:
        sys.exit(130)
