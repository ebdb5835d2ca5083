#!/usr/bin/env python3
"""Runs clang-tidy over the project's own sources: tidy.py TOP BUILD COMPILED.

BUILD is a build folder configured for clang, COMPILED one that is compiled, with any compiler: there ninja
knows which headers a source includes. Neither is a unity build: a source is looked at alone. A file that was clean is not looked at again until it, a
header of the project that it includes, its command line or the configuration changes; the marks
for that are kept in a cache folder, named by a hash of all this.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

TIDY = "clang-tidy-19"
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
    """The files to look at, each with its mark."""
    base = (top / ".clang-tidy").read_bytes() + subprocess.run(
        [TIDY, "--version"], check=True, capture_output=True).stdout
    for nested in sorted(path for own in OWN for path in (top / own).rglob(".clang-tidy")):
        base += nested.read_bytes()
    made_from = includes(compiled)
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(os.path.normpath(pathlib.Path(entry["directory"], entry["file"])))
        if any(path.is_relative_to(top / own) for own in OWN):
            # What is not compiled yet has headers that nobody knows: it gets no mark.
            known = made_from.get(entry["output"])
            name = mark(entry, known, top, base) if known else None
            if name is None or not (marks / name).exists():
                found.setdefault(path, name)
    return found


def look(path, build):
    """clang-tidy's complaints about one file; empty when it is clean."""
    done = subprocess.run([TIDY, "--quiet", "-p", build, path], check=False, text=True,
                          capture_output=True)
    return "" if done.returncode == 0 else done.stdout or done.stderr


def main():
    top, build, compiled = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    marks = caches / "tbs" / "tidy"
    marks.mkdir(parents=True, exist_ok=True)
    files = dirty(top, build, compiled, marks)
    complaints = 0
    print(f"{len(files)} files changed since they were clean", flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = pool.map(lambda path: look(path, build), files)
        for number, (path, text) in enumerate(zip(files, texts), 1):
            print(f"@{number}/{len(files)} {path.relative_to(top)}", flush=True)
            if text:
                complaints += 1
                print(text, flush=True)
            elif files[path]:
                (marks / files[path]).touch()
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
