#!/usr/bin/env python3
"""The kept inputs of a target, and two seconds of new ones: fuzz_briefly.py PROGRAM CORPUS. An input that finds a
mistake is printed, so that it can be kept."""

import base64
import pathlib
import subprocess
import sys
import tempfile


def main():
    program, corpus = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="tbs-fuzz-") as folder:
        new = pathlib.Path(folder) / "new"
        new.mkdir()
        code = subprocess.run([program, "-max_total_time=2", "-seed=1", f"-artifact_prefix={folder}/", new, corpus],
                              check=False).returncode
        for path in pathlib.Path(folder).iterdir():
            if path.is_file():
                text = base64.b64encode(path.read_bytes()).decode()
                print(f"once more: echo {text} | base64 -d >input; {program} input")
    return code


if __name__ == "__main__":
    sys.exit(main())
