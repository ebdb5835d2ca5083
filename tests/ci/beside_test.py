#!/usr/bin/env python3
"""Jobs beside the tests: done one after the other, with their output and result when somebody asks."""

import os
import pathlib
import subprocess
import tempfile
import time
import unittest

CI = pathlib.Path(__file__).resolve().parent

SCRIPT = """
set -uo pipefail
top=$1 state=$2
say() { printf '== %%s\\n' "$*"; }
. "$top/tests/ci/build.sh"
. "$top/tests/ci/beside.sh"
%s
"""


class Jobs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)

    def run_bash(self, script):
        return subprocess.run(["bash", "-c", SCRIPT % script, "bash", CI.parent.parent, self.state],
                              check=False, text=True, capture_output=True)

    def test_results_and_output(self):
        done = self.run_bash("""
            good() { echo "@1/2 step"; echo said; }
            bad() { echo wrong >&2; return 3; }
            beside one:good two:bad
            result_of two; echo "two: $?"
            result_of one; echo "one: $?"
        """)
        self.assertEqual(done.stdout, "wrong\ntwo: 3\nsaid\none: 0\n")

    def test_one_after_the_other(self):
        done = self.run_bash("""
            first() { sleep 0.5; touch "$state/first"; }
            second() { [[ -e $state/first ]]; }
            beside a:first b:second
            result_of b; echo $?
        """)
        self.assertEqual(done.stdout, "0\n")

    def test_ninja_tells_its_steps_to_the_log(self):
        done = self.run_bash("""
            steps() { progress name sh -c 'echo "${NINJA_STATUS}"'; }
            beside a:steps
            result_of a; cat "$state/beside/a.log"
        """)
        self.assertEqual(done.stdout, "@%f/%t \n@%f/%t \n")

    def test_a_job_that_never_came_to_an_end_has_failed(self):
        done = self.run_bash("""
            ends() { kill -9 "$BASHPID"; }
            beside a:ends b:ends
            result_of b; echo $?
        """)
        self.assertEqual(done.stdout, "1\n")

    def test_who_ends_takes_the_jobs_along(self):
        self.run_bash("""
            long() { echo $BASHPID >"$state/pid.new"; mv "$state/pid.new" "$state/pid"; sleep 1000; }
            beside a:long
            until [[ -e $state/pid ]]; do sleep 0.1; done
        """)
        process = int((self.state / "pid").read_text())
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
        self.fail("the job is still there")


if __name__ == "__main__":
    unittest.main()
