#!/usr/bin/env python3
"""Tests that ./dev takes the verbs that it tells of, and no others: dev_test.py TOP."""

import pathlib
import re
import subprocess
import sys
import unittest

TOP = pathlib.Path(sys.argv.pop())


def dev(*words):
    return subprocess.run([TOP / "dev", *words], text=True, capture_output=True, check=False)


class Verbs(unittest.TestCase):
    def test_each_is_there(self):
        told = set(re.findall(r"^\./dev ([a-z-]+)", dev("help").stdout, re.MULTILINE))
        text = (TOP / "dev").read_text()
        there = {name.replace("_", "-") for name in re.findall(r"^verb_([a-z_]+)\(\)", text, re.MULTILINE)}
        self.assertEqual(told, there)
        self.assertIn("test", told)

    def test_of_each_its_help_is_told(self):
        for verb in ("mutants", "sweep", "package"):
            done = dev(verb, "-h")
            self.assertEqual((done.returncode, done.stderr), (0, ""), verb)

    def test_another_is_refused(self):
        done = dev("nonsense")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.endswith("dev: no such verb: nonsense\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
