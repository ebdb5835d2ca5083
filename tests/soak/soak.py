#!/usr/bin/env python3
"""Real daemons under real clients, for hours: soak.py HOURS [--seed N]. One job after another, each with another seed:
clients at work while their daemon is restarted or killed, calls that fail, losses of power. What a job that failed has
said is printed, with the command that does it once more; at the end there is a summary.

The programs are named in the environment, as by ./dev soak."""

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import time
from collections import defaultdict

TESTS = pathlib.Path(__file__).resolve().parent.parent
RESTARTS = [TESTS / "integration/restart/restart_test.py", "--restarts", "100", "--seconds", "5"]
JOBS = {
    "clients over restarts on swtpm": [*RESTARTS, "--device", "swtpm"],
    "clients over restarts on the embedded TPM": [*RESTARTS, "--device", "embedded"],
    "clients over restarts without a service manager": [*RESTARTS, "--device", "embedded", "--alone"],
    "calls that fail": [TESTS / "sweep/sweep.py", "--seconds", "120"],
    "losses of power": [TESTS / "sweep/power_cut.py", "--states", "60"],
}
# What a job says that it has done.
FIGURES = {"restarts": r"(\d+) restarts", "answers": r"(\d+) answers", "faults": r"(\d+) of \d+ faults",
           "states": r"(\d+) of \d+ states"}
LONGEST = 3600  # of one job, against hanging only


class Summary:
    def __init__(self):
        self.runs, self.failed = defaultdict(int), defaultdict(int)
        self.figures = defaultdict(int)

    def note(self, name, code, text):
        self.runs[name] += 1
        self.failed[name] += code != 0
        for figure, pattern in FIGURES.items():
            self.figures[f"{name}: {figure}"] += sum(int(number) for number in re.findall(pattern, text))

    def print(self, hours):
        print(f"after {hours:.2f} hours")
        for name, runs in self.runs.items():
            done = [f"{count} {key.split(': ')[1]}" for key, count in self.figures.items()
                    if key.startswith(name + ":") and count]
            print(f"  {name}: {runs} runs, {self.failed[name]} failed; {', '.join(done) or 'nothing'}", flush=True)


def run(command):
    """The exit code and what was said."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, timeout=LONGEST)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        return 1, f"not within {LONGEST} s\n{(error.stdout or b'').decode(errors='replace')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hours", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    seeds, begun, summary = random.Random(arguments.seed), time.monotonic(), Summary()
    while True:
        for name, words in JOBS.items():
            if time.monotonic() - begun > arguments.hours * 3600:
                summary.print((time.monotonic() - begun) / 3600)
                return 1 if any(summary.failed.values()) or not summary.runs else 0
            command = [str(word) for word in [sys.executable, *words, "--seed", seeds.randrange(10**6)]]
            code, text = run(command)
            summary.note(name, code, text)
            if code != 0:
                print(f"FAILED: {' '.join(command)}\n{text}", flush=True)
            elif sum(summary.runs.values()) % len(JOBS) == 0:
                summary.print((time.monotonic() - begun) / 3600)


if __name__ == "__main__":
    os.environ.pop("NOTIFY_SOCKET", None)
    sys.exit(main())
