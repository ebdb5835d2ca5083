#!/usr/bin/env python3
"""Fails each call of a library function in turn, with each errno that fits it: sweep.py [--phase NAME...]
[--seconds N [--seed N]] [--only FAULT] [--report FILE].

Without --seconds all of them, which takes half an hour; with it as many as there is time for, chosen by the seed,
another one each time. A fault is named PHASE/PROGRAM/FUNCTION/NUMBER/ERROR (with a + behind it: that call and all
later ones); --only does it once more.

TBSD, TBSCTL, LIBTBS and FAILING_CALLS in the environment name the programs and libraries."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter

import daemon_phases
import failing_calls
import tbsctl_phases

# What stays as it is when it has come to that.
LASTING = {"ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "EIO", "EROFS"}
PHASES = {phase.name: phase for phase in [*daemon_phases.PHASES, *tbsctl_phases.PHASES]}


# Asio registers its own descriptors and those of signals without a look at what comes of it: a program cannot
# know. (When it lasts, what is registered next says so.)
NOT_REPORTED = {("start", "epoll_ctl", 1), ("start", "epoll_ctl", 2), ("start", "epoll_ctl", 3)}


MANY = 24


def numbers(calls):
    """All of them; of many, the first ones and then ever fewer."""
    chosen, step = list(range(1, min(calls, MANY) + 1)), 1.0
    while chosen and chosen[-1] + step <= calls:
        chosen.append(int(chosen[-1] + step))
        step *= 1.3
    return chosen


def faults_of(phase, program, counts):
    table = failing_calls.table()
    unknown = sorted(set(counts) - set(table))
    if unknown:
        raise SystemExit(f"faults.txt does not say how these can fail: {' '.join(unknown)}")
    for function, calls in sorted(counts.items()):
        for number in numbers(calls):
            if (phase.replace("first-", "").replace("restart", "start"), function, number) in NOT_REPORTED:
                continue
            for error in table[function]:
                yield f"{phase}/{program}/{function}/{number}/{error}"
                if error in LASTING and number == 1:
                    yield f"{phase}/{program}/{function}/{number}/{error}+"


TOGETHER = 15  # faults of one phase and program, which share what it takes to begin


def shuffled(faults, seed):
    generator, groups = random.Random(seed), {}
    for fault in faults:
        groups.setdefault(fault.rsplit("/", 3)[0], []).append(fault)
    parts = []
    for group in groups.values():
        generator.shuffle(group)
        parts += [group[at:at + TOGETHER] for at in range(0, len(group), TOGETHER)]
    generator.shuffle(parts)
    return [fault for part in parts for fault in part]


class Sweep:
    def __init__(self, folder, report):
        self._folder, self._report = folder, report
        self.done, self.wrong, self._number = Counter(), [], 0
        self.happened = 0

    def _phase(self, name):
        self._number += 1
        folder = os.path.join(self._folder, str(self._number))
        os.mkdir(folder)
        return PHASES[name](folder, os.environ["FAILING_CALLS"])

    def list(self, names):
        """All faults there are."""
        for name in names:
            for program in PHASES[name].programs:
                phase = self._phase(name)
                try:
                    yield from faults_of(name, program, phase.count(program))
                finally:
                    phase.close()

    def run(self, faults, until):
        """In the order given. Those of one phase and program follow one another as far as they are together."""
        phase, of = None, None
        try:
            for fault in faults:
                if until and time.monotonic() > until:
                    break
                name, program, function, number, error = fault.split("/")
                if of != (name, program):
                    if phase:
                        phase.close()
                    phase, of = self._phase(name), (name, program)
                times = failing_calls.FOREVER if error.endswith("+") else 1
                outcome = phase.fail(program, function, int(number), error.rstrip("+"), times)
                self.done[of] += 1
                self.happened += phase.happened
                self._note(fault, phase.happened, outcome)
        finally:
            if phase:
                phase.close()

    def _note(self, fault, happened, outcome):
        if outcome.wrong:
            self.wrong.append(fault)
            print(f"{fault}: {outcome.wrong}\n{outcome.text}", flush=True)
        if self._report:
            text = outcome.text.strip().replace("\n", " | ")
            self._report.write(f"{fault}\t{'failed' if happened else 'not met'}\t{outcome.kind}\t"
                               f"{outcome.wrong or 'right'}\t{text}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phase", nargs="*", choices=sorted(PHASES), default=sorted(PHASES))
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tbs-sweep-")
    report = open(arguments.report, "w", encoding="utf-8", buffering=1) if arguments.report else None
    sweep = Sweep(folder, report)
    try:
        faults = arguments.only or list(sweep.list(arguments.phase))
        if arguments.list:
            print("\n".join(faults))
            return 0
        if arguments.seconds:
            print(f"seed {arguments.seed}", flush=True)
            faults = shuffled(faults, arguments.seed)
        sweep.run(faults, arguments.seconds and time.monotonic() + arguments.seconds)
    finally:
        shutil.rmtree(folder)
        if report:
            report.close()
    for (name, program), count in sorted(sweep.done.items()):
        print(f"{name}: {count} faults of {program}")
    total = sum(sweep.done.values())
    print(f"{total} of {len(faults)} faults, {sweep.happened} of them met; {len(sweep.wrong)} were wrong")
    for fault in sweep.wrong:
        print(f"once more: sweep.py --only {fault}")
    return 1 if sweep.wrong or total == 0 or sweep.happened == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
