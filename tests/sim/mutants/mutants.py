#!/usr/bin/env python3
"""Plants faults in tbsd, one at a time, and has the simulation find them.

    tests/sim/mutants/mutants.py [--build build] [--jobs N] [--table] [NAME]...

Each row of faults/ changes a few words of one source. The changed copy is compiled into a folder of its own and linked
in place of the one in the library, so neither the tree nor the build folder is touched, and nothing in tbsd can switch a
fault on. It needs a build folder of `./dev build`, with tbs_sim; one where several sources are compiled as one does not
do. A fault is found when a run fails; what is printed is the invariant, the seed, how long clients were simulated until
then, and for how long the simulation ran. A fault that is found by another invariant than its row says is reported, too:
then the row is wrong, or the check that should have found it.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import typing

from faults import FAULTS

TOP = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = "tests/sim/tbs_sim"
MOST_RUNS = 1000
# A run of the longest kind takes a second or two.
PATIENCE = 60
MOST_SECONDS = 600


class Found(typing.NamedTuple):
    invariant: str | None
    seed: str
    hours: str
    seconds: float
    how: str


def mutated(fault):
    text = (TOP / fault.source).read_text()
    for old, new in fault.changes:
        if text.count(old) != 1:
            sys.exit(f"{fault.name}: {fault.source} has {text.count(old)} times, in place of once: {old}")
        text = text.replace(old, new)
    return text


def compile_command(build, commands, source, copy, folder, result):
    """As the build folder compiles it, but from the copy, with the headers of `folder` before those of the tree."""
    for entry in commands:
        if (build / entry["file"]).resolve() == TOP / source and ".a.p/" in entry["output"]:
            words = shlex.split(entry["command"])
            words = [str(copy) if word == entry["file"] else word for word in words]
            words.remove("-MD")
            for option in ("-MQ", "-MF", "-o"):
                place = words.index(option)
                del words[place : place + 2]
            return words + ["-iquote", str(folder), "-I", str((TOP / source).parent), "-w", "-o", str(result)]
    sys.exit(f"{source} is not compiled in {build}")


def link_command(build, results, program):
    commands = subprocess.run(["ninja", "-C", str(build), "-t", "commands", PROGRAM], capture_output=True, text=True,
                              check=True).stdout.splitlines()
    words = shlex.split([line for line in commands if re.search(rf"-o {PROGRAM}( |$)", line)][-1])
    place = words.index("-o")
    return words[:place] + ["-o", str(program), *map(str, results)] + words[place + 2 :]


def build_mutant(build, fault, folder):
    commands = json.loads((build / "compile_commands.json").read_text())
    changed = folder / fault.source
    changed.parent.mkdir(parents=True)
    changed.write_text(mutated(fault))
    results = []
    for source in fault.users or (fault.source,):
        result = folder / f"{len(results)}.o"
        copy = changed if source == fault.source else folder / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        if copy != changed:
            copy.write_text((TOP / source).read_text())
        subprocess.run(compile_command(build, commands, source, copy, folder, result), cwd=build, check=True)
        results.append(result)
    program = folder / "tbs_sim"
    subprocess.run(link_command(build, results, program), cwd=build, check=True)
    return program


def find(build, fault):
    with tempfile.TemporaryDirectory() as name:
        program = build_mutant(build, fault, pathlib.Path(name))
        begun = time.monotonic()
        run = subprocess.run([program, "--seeds", f"1..{MOST_RUNS}", "--minutes", str(MOST_SECONDS // 60), "--no-shrink",
                              "--patience", str(PATIENCE)], capture_output=True, text=True)
        took = time.monotonic() - begun
    found = re.search(r"^seed (\d+): ([a-z-]+): (.*)", run.stdout)
    hours = re.search(r"([\d.]+) client-hours", run.stdout)
    return Found(found[2] if found else None, found[1] if found else "-", hours[1] if hours else "-", took,
                 found[3] if found else "")


def show(fault, found, table):
    if table:
        print(f"| {fault.name} | `{fault.source}` | `{found.invariant}` | {found.seed} | {found.hours} | "
              f"{found.seconds:.1f} |", flush=True)
        return
    print(f"{fault.name:36} {found.invariant or 'NOT FOUND':17} {found.seed:>4} {found.hours:>8} {found.seconds:6.1f}  "
          f"{found.how}", flush=True)


def invariants():
    """All that the simulation can say."""
    sources = "".join(path.read_text() for path in (TOP / "tests/sim").rglob("*.cpp"))
    return set(re.findall(r'broken\(\s*"([a-z-]+)"', sources)) | {"crash", "no-hang"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="as the rows of found.md")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    build = options.build.resolve()
    chosen = [fault for fault in FAULTS if not options.names or fault.name in options.names]
    missed, shown = 0, set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for fault, found in zip(chosen, pool.map(lambda fault: find(build, fault), chosen)):
            show(fault, found, options.table)
            shown.add(found.invariant)
            if found.invariant not in fault.found_by:
                missed += 1
                print(f"  it should be {' or '.join(fault.found_by)}", file=sys.stderr, flush=True)
    never = invariants() - shown
    if never and not options.names:
        print("nothing has broken: " + ", ".join(sorted(never)), file=sys.stderr)
    return 1 if missed or (never and not options.names) else 0


if __name__ == "__main__":
    sys.exit(main())
