#!/usr/bin/env python3
"""Tests that what has no time left is skipped, named and counted, and that nothing is without a limit."""

import pathlib
import subprocess
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = """
top=$1 state=$2
say() { printf '== %s\\n' "$*"; }
. "$top/tests/ci/test.sh"
suite() { echo "suite: $*"; }
nproc() { echo 2; }
"""
PLAIN = "suite: tests on a real kernel build --suite guest --num-processes 2\n"
USUAL = "suite: tests on a real kernel build --suite guest --no-suite later-kernel --num-processes 2\n"


class TimeLimit(unittest.TestCase):
    def run_bash(self, script, minutes_left=None):
        """What it prints, and the lines of its results."""
        until = f"export TBS_TEST_UNTIL={int(time.time()) + 60 * minutes_left}\n" if minutes_left is not None else ""
        with tempfile.TemporaryDirectory() as state:
            done = subprocess.run(["bash", "-c", "unset TBS_TEST_UNTIL\n" + until + SCRIPT + script, "bash", TOP, state],
                                  check=True, text=True, capture_output=True)
            results = pathlib.Path(state, "results")
            return done.stdout, results.read_text() if results.exists() else ""

    def test_guests(self):
        self.assertEqual(self.run_bash("guests"), (PLAIN, ""))
        self.assertEqual(self.run_bash("guests", 60), (PLAIN, ""))
        said, results = self.run_bash("guests", 30)
        self.assertTrue(said.endswith(USUAL), said)
        self.assertEqual(results, "0 0 1 tests on a real kernel: a later kernel: no time\n")
        said, results = self.run_bash("guests || true", 10)
        self.assertNotIn("suite:", said)
        self.assertEqual(results, "0 0 1 tests on a real kernel: no time\n")

    def test_a_check_may_say_that_it_was_skipped(self):
        script = "check good true; check bad false || check late bash -c 'exit 77' || true"
        said, results = self.run_bash(script)
        self.assertEqual(results, "1 0 0 good\n0 1 0 bad\n0 0 1 late\n")
        self.assertIn("== FAILED: bad\n", said)
        self.assertIn("== SKIPPED: late\n", said)


if __name__ == "__main__":
    unittest.main()
