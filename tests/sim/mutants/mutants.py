#!/usr/bin/env python3
"""Plants faults in tbsd, one at a time, and has the simulation find them.

    tests/sim/mutants/mutants.py [--build build] [NAME]...

Each row of faults.py changes a few words of one source. The changed copy is compiled into a folder of its own and linked
in place of the one in the library, so neither the tree nor the build folder is touched, and nothing in tbsd can switch a
fault on. It needs a build folder of `./dev build`, with tbs_sim; one where several sources are compiled as one does not
do. A fault is found when a run fails; what is printed is the invariant, and how long clients were simulated until then.
"""
import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

from faults import FAULTS

TOP = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = "tests/sim/tbs_sim"
MOST_RUNS = 300


def mutated(fault):
    text = (TOP / fault.source).read_text()
    for old, new in fault.changes:
        if text.count(old) != 1:
            sys.exit(f"{fault.name}: {fault.source} has {text.count(old)} times, in place of once: {old}")
        text = text.replace(old, new)
    return text


def compile_command(build, source, copy, result):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if (build / entry["file"]).resolve() == TOP / source and ".a.p/" in entry["output"]:
            words = shlex.split(entry["command"])
            words = [str(copy) if word == entry["file"] else word for word in words]
            for option in ("-MD",):
                words.remove(option)
            for option in ("-MQ", "-MF", "-o"):
                place = words.index(option)
                del words[place : place + 2]
            return words + ["-Wno-error", "-w", "-o", str(result)]
    sys.exit(f"{source} is not compiled in {build}")


def link_command(build, result, program):
    commands = subprocess.run(["ninja", "-C", str(build), "-t", "commands", PROGRAM], capture_output=True, text=True,
                              check=True).stdout.splitlines()
    words = shlex.split([line for line in commands if re.search(rf"-o {PROGRAM}( |$)", line)][-1])
    place = words.index("-o")
    return words[:place] + ["-o", str(program), str(result)] + words[place + 2 :]


def find(build, fault, folder):
    copy = folder / pathlib.Path(fault.source).name
    copy.write_text(mutated(fault))
    result = folder / "changed.o"
    program = folder / "tbs_sim"
    subprocess.run(compile_command(build, fault.source, copy, result), cwd=build, check=True)
    subprocess.run(link_command(build, result, program), cwd=build, check=True)
    begun = time.monotonic()
    run = subprocess.run([program, "--seeds", f"1..{MOST_RUNS}", "--no-shrink", "--patience", "20"],
                         capture_output=True, text=True)
    took = time.monotonic() - begun
    found = re.search(r"^seed (\d+): ([a-z-]+): (.*)", run.stdout)
    hours = re.search(r"([\d.]+) client-hours", run.stdout)
    return (found[2] if found else None), (found[1] if found else "-"), (hours[1] if hours else "-"), took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    build = options.build.resolve()
    missed = 0
    print(f"{'fault':28} {'found by':18} {'seed':>5} {'client-hours':>12} {'seconds':>8}")
    for fault in FAULTS:
        if options.names and fault.name not in options.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            invariant, seed, hours, took = find(build, fault, pathlib.Path(folder))
        missed += invariant is None
        print(f"{fault.name:28} {invariant or 'NOT FOUND':18} {seed:>5} {hours:>12} {took:8.1f}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
