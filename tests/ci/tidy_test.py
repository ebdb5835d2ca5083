#!/usr/bin/env python3
"""Tests that of sources that are looked at together each mistake is found, and that what was clean is remembered."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

CI = pathlib.Path(__file__).resolve().parent
CHECKS = "-*,misc-unused-using-decls,modernize-use-nullptr,readability-redundant-string-init"


@unittest.skipUnless(shutil.which("clang-tidy-19") and shutil.which("clang++-19"), "there is no clang-tidy 19")
class Tidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        (self.top / "daemon").mkdir()
        (self.top / "build").mkdir()
        (self.top / ".clang-tidy").write_text(
            f"Checks: '{CHECKS}'\nWarningsAsErrors: '*'\nHeaderFilterRegex: '(^|/)daemon/'\n")

    def tidy(self, sources, **environment):
        """Its exit code, and what it printed."""
        build = self.top / "build"
        rules = "rule cxx\n  command = clang++-19 -c $in -o $out -MD -MF $out.d\n  deps = gcc\n  depfile = $out.d\n"
        entries = []
        for name, text in sources.items():
            (self.top / "daemon" / name).write_text(text)
            rules += f"build {name}.o: cxx ../daemon/{name}\n"
            entries.append({"directory": str(build), "file": f"../daemon/{name}", "output": f"{name}.o",
                            "command": f"ccache clang++-19 -std=c++20 -MD -MQ {name}.o -MF {name}.o.d "
                                       f"-o {name}.o -c ../daemon/{name}"})
        (build / "build.ninja").write_text(rules)
        (build / "compile_commands.json").write_text(json.dumps(entries))
        subprocess.run(["ninja", "-C", build], check=True, capture_output=True)
        done = subprocess.run([sys.executable, CI / "tidy.py", self.top, build, build],
                              check=False, text=True, capture_output=True,
                              env={**os.environ, "TBS_TEST_UNTIL": "inf", "XDG_CACHE_HOME": str(self.top),
                                   **environment})
        return done.returncode, done.stdout + done.stderr

    CLEAN = {"a.cpp": "int* a() { return nullptr; }\n", "b.cpp": "int b() { return 1; }\n",
             "c.cpp": "namespace n { int x(); }\nusing n::x;\nint c() { return x(); }\n"}

    def test_what_is_clean_is_remembered(self):
        code, text = self.tidy(self.CLEAN)
        self.assertEqual(code, 0, text)
        self.assertIn("3 files changed", text)
        code, text = self.tidy(self.CLEAN)
        self.assertEqual((code, text), (0, "0 files changed since they were clean\n"))
        code, text = self.tidy(self.CLEAN | {"b.cpp": "int b() { return 0; }\n"})
        self.assertIn("1 files changed", text)

    def test_several_are_looked_at_at_once(self):
        programs, real = self.top / "programs", shutil.which("clang-tidy-19")
        programs.mkdir()
        (programs / "clang-tidy-19").write_text(f'#!/bin/sh\necho "$*" >>{self.top}/calls\nexec {real} "$@"\n')
        (programs / "clang-tidy-19").chmod(0o755)
        code, text = self.tidy(self.CLEAN, PATH=f"{programs}:{os.environ['PATH']}")
        self.assertEqual(code, 0, text)
        calls = [line for line in (self.top / "calls").read_text().splitlines() if "--version" not in line]
        self.assertEqual(len(calls), 1, calls)

    def test_a_mistake_is_found_among_others_and_again(self):
        for _ in range(2):
            code, text = self.tidy(self.CLEAN | {"b.cpp": "int* b() { return 0; }\n"})
            self.assertEqual(code, 1, text)
            self.assertEqual(text.count("[modernize-use-nullptr"), 1, text)
        self.assertIn("1 files changed", text)

    def test_a_mistake_in_a_header(self):
        (self.top / "daemon" / "h.h").write_text("#include <string>\nstruct H { std::string text = \"\"; };\n")
        code, text = self.tidy(self.CLEAN | {"b.cpp": '#include "h.h"\n'})
        self.assertEqual(code, 1, text)
        self.assertIn("readability-redundant-string-init", text)

    def test_a_name_that_is_not_used(self):
        (self.top / "daemon" / "h.h").write_text("namespace n { int y(); }\n")
        code, text = self.tidy(self.CLEAN | {"b.cpp": '#include "h.h"\nusing n::y;\n'})
        self.assertEqual(code, 1, text)
        self.assertIn("misc-unused-using-decls", text)

    def test_what_cannot_be_compiled_together(self):
        same = "namespace { int same = 1; }\nint& %s() { return same; }\n"
        code, text = self.tidy({"a.cpp": same % "a", "b.cpp": same % "b"})
        self.assertEqual(code, 0, text)

    def test_out_of_time(self):
        code, text = self.tidy(self.CLEAN, TBS_TEST_UNTIL=str(int(time.time()) - 1))
        self.assertEqual(code, 77, text)
        self.assertIn("3 of 3 files were not looked at for want of time", text)


if __name__ == "__main__":
    unittest.main()
