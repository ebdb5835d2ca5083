#!/usr/bin/env python3
"""Cuts the power of a machine whose tbsd has an embedded TPM, at each write to its folders: power_cut.py
[--states N] [--random N] [--seed N].

One run is recorded. Then a daemon is started on each state of the folders that a loss of power could have left. It
has to start and to serve; what a client was told that it is done, an NV counter's last value above all, has to be
there; and the TPM's memory of before, where it is kept over a stop, may be used once.

TBSD, LIBTBS and RECORDED_WRITES in the environment name the program and the libraries."""

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile

import client
from daemon import Daemon, Hangs
from recorded_writes import Disk, Notes

INDEX = 0x01500020
FOLDERS = ("tpm", "state")
KEEPING = ["--embedded-keep-state", "yes"]
PCR, NO_PCR = 16, bytes(32)
PCR_EXTEND, PCR_READ = 0x182, 0x17E


def extend(context, data):
    context.run(client.command(PCR_EXTEND, [PCR], client.words(1) + b"\x00\x0b" + hashlib.sha256(data).digest(), 1))


def read_pcr(context):
    selection = client.words(1) + b"\x00\x0b\x03" + (1 << PCR).to_bytes(3, "little")
    return context.run(client.command(PCR_READ, parameters=selection))[-32:]


class Promises:
    """What clients were told, by where the notes ended then."""

    def __init__(self, notes):
        self._notes, self.all = notes, []

    def made(self, counter, pcr):
        self.all.append((self._notes.end(), counter, pcr))

    def at(self, place):
        """The last counter and PCR, none before there was one; and those that may be there already."""
        made = [entry for entry in self.all if entry[0] <= place]
        following = self.all[len(made)] if len(made) < len(self.all) else (made or [(0, None, NO_PCR)])[-1]
        _, counter, pcr = made[-1] if made else (0, None, NO_PCR)
        return counter, {NO_PCR, pcr, following[2]}


def record(folder, notes):
    promises = Promises(notes)
    for life in range(2):
        daemon = Daemon(folder, notes.environment(), more=KEEPING)
        try:
            if not daemon.is_up():
                raise SystemExit(daemon.log())
            context = client.Context(client.Library(os.environ["LIBTBS"], daemon.admin_socket))
            if life == 0:
                context.define_counter(INDEX)
            else:
                promises.made(context.read_counter(INDEX), read_pcr(context))
            for step in range(3):
                context.increment(INDEX)
                promises.made(context.read_counter(INDEX), read_pcr(context))
                extend(context, bytes([life, step]))
                promises.made(context.read_counter(INDEX), read_pcr(context))
            context.close()
            if daemon.stop() != 0:
                raise SystemExit(daemon.log())
        finally:
            daemon.kill()
    return promises


def states(notes, top, seed, more):
    """(where the notes end, the files) of each that is not like another with the same promises."""
    disk, generator = Disk(top, FOLDERS), random.Random(seed)
    for note in notes.all():
        disk.apply(note)
        for state in disk.possible(generator, more):
            yield note[0], state


def distinct(all_states, promises):
    seen = set()
    for place, state in all_states:
        text = hashlib.sha256(repr((sorted(state.items()), str(promises.at(place)))).encode()).digest()
        if text not in seen:
            seen.add(text)
            yield place, state


def start_on(folder, state, counter, pcrs):
    """What is wrong with the daemon that finds these files."""
    for name in FOLDERS:
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
        os.mkdir(os.path.join(folder, name), 0o700)
    for path, content in state.items():
        with open(os.path.join(folder, path), "wb") as file:
            file.write(content)
    daemon = Daemon(folder, more=KEEPING)
    try:
        if not daemon.is_up():
            return f"it does not start: {daemon.log()}"
        context = client.Context(client.Library(os.environ["LIBTBS"], daemon.admin_socket))
        if read_pcr(context) not in pcrs:
            return "its PCR is one of before"
        if counter is not None:
            found = context.read_counter(INDEX)
            if found not in (counter, counter + 1):
                return f"its counter is {found}, and a client was told {counter}"
        context.close()
        return "" if daemon.stop() == 0 else f"it does not stop: {daemon.log()}"
    except (client.Refused, client.Wrong, Hangs) as error:
        return f"{error}: {daemon.log()}"
    finally:
        daemon.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, help="no more than so many, chosen by the seed")
    parser.add_argument("--random", type=int, default=4, help="states at random after each write")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    top = tempfile.mkdtemp(prefix="tbs-power-")
    wrong = 0
    try:
        folder = os.path.join(top, "run")
        os.mkdir(folder)
        notes = Notes(top, os.environ["RECORDED_WRITES"])
        promises = record(folder, notes)
        all_states = list(distinct(states(notes, folder, arguments.seed, arguments.random), promises))
        count = len(all_states)
        chosen = random.Random(arguments.seed).sample(range(count), min(arguments.states or count, count))
        again = os.path.join(top, "again")
        os.mkdir(again)
        for number in chosen:
            place, state = all_states[number]
            fault = start_on(again, state, *promises.at(place))
            if fault:
                wrong += 1
                files = ", ".join(f"{path} ({len(content)} bytes)" for path, content in sorted(state.items()))
                print(f"state {number} at {place}, with {files or 'no files'}: {fault}", flush=True)
        notes.close()
    finally:
        shutil.rmtree(top)
    print(f"{len(chosen)} of {count} states; {wrong} were wrong")
    return 1 if wrong or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
