#!/usr/bin/env python3
"""Fuzzes every parser for its part of the time, keeps inputs that reach something new, and says what of the sources
all of them reach together: fuzz_all.py HOURS FUZZERS REPLAYS STATE.

FUZZERS is a build folder with -Dfuzzers=true, REPLAYS one without it that was compiled with
-fprofile-instr-generate -fcoverage-mapping. What is found is in STATE; what is worth keeping goes to
tests/fuzz/corpus, each input as small as it was found."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
# Other tests restart an engine at each step of each input of these: what is kept is chosen by hand.
COSTLY = {"rm_execution", "rm_history", "rm12_execution", "rm12_history"}


def llvm(program):
    return shutil.which(f"{program}-19") or shutil.which(program) or sys.exit(f"{program} is not installed")


def programs(folder, prefix):
    found = (pathlib.Path(folder) / "tests/fuzz").glob(prefix + "*")
    return {path.name.removeprefix(prefix): path for path in sorted(found) if path.is_file()}


def fuzz(name, program, seconds, state):
    """(name, executions, what went wrong)"""
    new = state / "corpus" / f"fuzz_{name}"
    new.mkdir(parents=True, exist_ok=True)
    kept = CORPUS / name
    log = state / f"fuzz_{name}.log"
    with open(log, "wb") as file:
        code = subprocess.run([program, f"-max_total_time={seconds:.0f}", "-print_final_stats=1",
                               f"-artifact_prefix={state}/fuzz_{name}-", new, *([kept] if kept.is_dir() else [])],
                              stdout=file, stderr=file, check=False, cwd=state).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    fault = re.search(r"Test unit written to (\S+)", text)
    return name, int(runs[1]) if runs else 0, "" if code == 0 else f"exit code {code}; {fault[1] if fault else log}"


def keep(name, program, state):
    """Those of the new inputs that reach what those that are kept do not, as few as will do; how many."""
    if name in COSTLY:
        return 0
    kept = CORPUS / name
    kept.mkdir(exist_ok=True)
    before = set(os.listdir(kept))
    new = state / "corpus" / f"fuzz_{name}"
    subprocess.run([program, "-set_cover_merge=1", "-use_counters=0", kept, new], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=state)
    return len(set(os.listdir(kept)) - before)


def coverage(replays, state):
    """The report of llvm-cov: each file of the sources, and how much of it is reached."""
    raw = []
    for name, program in replays.items():
        raw.append(state / f"{name}.profraw")
        subprocess.run([program, CORPUS / name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": str(raw[-1])})
    merged = state / "fuzz.profdata"
    subprocess.run([llvm("llvm-profdata"), "merge", "-sparse", "-o", merged, *raw], check=True)
    objects = [word for program in replays.values() for word in ("-object", program)]
    return subprocess.run([llvm("llvm-cov"), "report", f"-instr-profile={merged}", *objects[1:],
                           "-ignore-filename-regex=(^|/)(tests|subprojects)/|^/usr/"],
                          check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def main():
    hours, fuzzers, replays, state = float(sys.argv[1]), *sys.argv[2:4], pathlib.Path(sys.argv[4]).resolve()
    fuzzers, replays = programs(fuzzers, "fuzz_"), programs(replays, "replay_")
    processors = len(os.sched_getaffinity(0))
    seconds = max(hours * 3600 * processors / len(fuzzers), 1)
    print(f"{len(fuzzers)} targets, {seconds:.0f} s each", flush=True)
    total, faults = 0, 0
    with concurrent.futures.ThreadPoolExecutor(processors) as workers:
        work = [workers.submit(fuzz, name, program, seconds, state) for name, program in fuzzers.items()]
        for done in concurrent.futures.as_completed(work):
            name, runs, fault = done.result()
            new = 0 if fault else keep(name, fuzzers[name], state)
            total, faults = total + runs, faults + (fault != "")
            print(f"{name}: {runs} executions, {new} new inputs kept{'; FAULT: ' + fault if fault else ''}", flush=True)
    report = coverage(replays, state)
    (state / "fuzz-coverage.txt").write_text(report, encoding="utf-8")
    print(report.splitlines()[-1])
    print(f"{total} executions, {faults} faults; what is reached of each file: {state}/fuzz-coverage.txt")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
