#!/usr/bin/env python3
"""Runs clang-tidy over the project's own sources: tidy.py TOP BUILD COMPILED.

BUILD is a build folder configured for clang, COMPILED one that is compiled, with any compiler: there ninja
knows which headers a source includes. Neither is a unity build: each source has a command line of its own.
A file that was clean is not looked at again until it, a header of the project that it includes, its command
line or the configuration changes; the marks for that are kept in a cache folder, named by a hash of all this.

Most of the time goes into the headers, so sources of a target are looked at several at once.
When something is found there, or they cannot be compiled together, each of them is looked at alone; so is a source
with a name of another namespace that it seems not to use, which clang-tidy only tells of a file that it was given.

What is not begun at TBS_TEST_UNTIL (time_limit.sh) is left out; when nothing was found until then, the exit code is 77.
"""

import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

TIDY = "clang-tidy-19"
# Sources at once, in their target's order: those that a unity build takes together (build.sh), so that they can be.
TOGETHER = 20
SKIPPED = 77
OWN = ("proto", "client", "daemon")


def includes(build):
    """For each object file of the build, what it was made from, as ninja knows it."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, text=True,
                            capture_output=True).stdout
    result = {}
    for block in listed.split("\n\n"):
        head, *paths = block.strip().splitlines() or [""]
        result[head.split(": ")[0]] = [path.strip() for path in paths]
    return result


def mark(entry, made_from, top, base):
    """The hash of all that decides whether this file is clean."""
    parts = [base, entry["command"].encode()]
    for path in sorted({entry["file"], *made_from}):
        full = pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"], path)))
        if full.is_relative_to(top) and full.is_file():
            parts += [str(full.relative_to(top)).encode(), full.read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def dirty(top, build, compiled, marks):
    """The files to look at, each with its mark, its entry and its place in its target."""
    base = (top / ".clang-tidy").read_bytes() + subprocess.run(
        [TIDY, "--version"], check=True, capture_output=True).stdout
    for nested in sorted(path for own in OWN for path in (top / own).rglob(".clang-tidy")):
        base += nested.read_bytes()
    made_from = includes(compiled)
    found, sources = {}, collections.Counter()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"], entry["file"])))
        target = os.path.dirname(entry["output"])
        place = sources[target]
        sources[target] += 1
        if any(path.is_relative_to(top / own) for own in OWN):
            # What is not compiled yet has headers that nobody knows: it gets no mark.
            known = made_from.get(entry["output"])
            name = mark(entry, known, top, base) if known else None
            if name is None or not (marks / name).exists():
                found.setdefault(path, (name, entry, (target, place // TOGETHER)))
    return found


def options(entry):
    """What the compiler is told, without the compiler, the names of this one source and its dependencies."""
    words = shlex.split(entry["command"])
    words = words[next(place for place, word in enumerate(words) if word.startswith("-")):]
    kept, skip = [], False
    for word in words:
        if not skip and word not in ("-c", "-MD", "-MQ", "-MF", "-o", entry["file"]):
            kept.append(word)
        skip = not skip and word in ("-MQ", "-MF", "-o")
    return tuple(kept)


def imports_too_much(path):
    """Whether a name that the file takes from another namespace, or gives one, seems not to be used there."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"\busing\s+[\w:]*::(\w+)\s*;|\bnamespace\s+(\w+)\s*=", text)
    return any(len(re.findall(rf"\b{taken or given}\b", text)) < 2 for taken, given in names)


def groups(found):
    """The files in groups of those that can be looked at together."""
    alike = {}
    for path, (_, entry, place) in found.items():
        alone = path if imports_too_much(path) else None
        alike.setdefault((alone, path.suffix, place, options(entry)), []).append(path)
    return list(alike.values())


def run(path, build, *more):
    """clang-tidy's complaints about one file; empty when it is clean."""
    done = subprocess.run([TIDY, "--quiet", path, *more], cwd=build, check=False, text=True,
                          capture_output=True)
    return "" if done.returncode == 0 else done.stdout or done.stderr


def look(paths, found, build):
    """The complaints about each of these files; nothing when there is no time."""
    if time.time() > float(os.environ.get("TBS_TEST_UNTIL", "inf")):
        return []
    if len(paths) > 1:
        with tempfile.TemporaryDirectory(prefix="tidy", dir=build) as folder:
            together = pathlib.Path(folder, f"together{paths[0].suffix}")
            together.write_text("".join(f'#include "{path}" // NOLINT(bugprone-suspicious-include)\n'
                                        for path in paths))
            if not run(together, build, "--", *options(found[paths[0]][1])):
                return [""] * len(paths)
    return [run(path, build, "-p", build) for path in paths]


def main():
    top, build, compiled = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    marks = caches / "tbs" / "tidy"
    marks.mkdir(parents=True, exist_ok=True)
    found = dirty(top, build, compiled, marks)
    complaints = done = skipped = 0
    print(f"{len(found)} files changed since they were clean", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(look, paths, found, build): paths for paths in groups(found)}
        for look_done in concurrent.futures.as_completed(running):
            paths, texts = running[look_done], look_done.result()
            skipped += len(paths) - len(texts)
            for path, text in zip(paths, texts):
                done += 1
                if text:
                    complaints += 1
                    print(text, flush=True)
                elif found[path][0]:
                    (marks / found[path][0]).touch()
            print(f"@{done}/{len(found)} {paths[-1].relative_to(top)}", flush=True)
    if skipped:
        print(f"{skipped} of {len(found)} files were not looked at for want of time")
    return 1 if complaints else SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
