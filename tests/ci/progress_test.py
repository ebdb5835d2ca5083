#!/usr/bin/env python3
"""How far a command is, told in one line."""

import io
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest

from progress import Log, Progress

PROGRAM = pathlib.Path(__file__).with_name("progress.py")


class Steps(unittest.TestCase):
    def setUp(self):
        self.progress = Progress("compiling", 0)

    def test_ninja(self):
        self.assertTrue(self.progress.take("@0/20 one", 10))
        self.assertEqual(self.progress.line(10), "compiling: 0 of 20")
        self.assertTrue(self.progress.take("@5/20 five", 60))
        self.assertEqual(self.progress.line(60), "compiling: 5 of 20, about 2 min 30 s left")

    def test_the_first_step_says_nothing_about_the_others(self):
        self.progress.take("@7/20 seven", 10)
        self.assertEqual(self.progress.line(50), "compiling: 7 of 20")

    def test_tests_of_meson(self):
        line = " 12/300 cancel on embedded                 OK              1.23s   5 cases"
        self.assertTrue(self.progress.take(line, 1))
        self.assertEqual(self.progress.text, "cancel on embedded")
        self.assertEqual(self.progress.line(1), "compiling: 12 of 300")

    def test_a_test_that_failed_is_passed_on(self):
        for result in ("FAIL", "TIMEOUT", "ERROR"):
            self.assertFalse(self.progress.take(f" 1/3 cancel on embedded   {result}   1.23s", 1))

    def test_apt_begins_again_with_the_installation(self):
        self.progress.take("dlstatus:3:80.1:Retrieving file 3 of 4", 10)
        self.assertTrue(self.progress.take("pmstatus:gcc:10.5:Unpacking gcc (amd64)", 20))
        self.assertTrue(self.progress.take("pmstatus:gcc:20.5:Configuring gcc (amd64)", 30))
        self.assertEqual(self.progress.line(30), "compiling: 20 of 100, about 1 min 20 s left")

    def test_what_is_no_step(self):
        for line in ("FAILED: a.o", "12/13", "In file included from a.h", ""):
            self.assertFalse(self.progress.take(line, 1), line)
        self.assertEqual(self.progress.line(9), "compiling: 9 s")


class Logs(unittest.TestCase):
    def test_a_line_every_half_minute(self):
        out = io.StringIO()
        shown, state = Log(out, 0), Progress("compiling", 0)
        for now in range(100):
            state.take(f"@{now}/100 step", now)
            shown.show(state, now)
        self.assertEqual(out.getvalue().splitlines(), [
            "compiling: 30 of 100, about 1 min 10 s left",
            "compiling: 60 of 100, about 40 s left",
            "compiling: 90 of 100, about 10 s left",
        ])


class Commands(unittest.TestCase):
    def run_program(self, script):
        return subprocess.run([sys.executable, PROGRAM, "work", "sh", "-c", script], check=False,
                              capture_output=True, text=True)

    def test_the_exit_code_and_what_is_not_a_step(self):
        done = self.run_program("echo @1/2 one; echo wrong >&2; echo @2/2 two; exit 3")
        self.assertEqual((done.returncode, done.stdout), (3, "wrong\n"))

    def test_a_last_line_without_an_end(self):
        self.assertEqual(self.run_program("printf wrong").stdout, "wrong\n")

    def test_a_log_takes_what_is_not_a_step(self):
        with tempfile.NamedTemporaryFile("r+") as log:
            done = subprocess.run([sys.executable, PROGRAM, "--log", log.name, "work", "sh", "-c",
                                   "echo @1/2 one; echo wrong; exit 100"], check=False,
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, log.read()), (100, "", "wrong\n"))

    def test_a_function_of_dev(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["bash", "-uc", """
                . "$top/tests/ci/build.sh"
                packages=here
                work() { echo "@1/2 one"; echo "$packages: $1" >&2; return 7; }
                watched work "$0/log" work 'two  words'""", folder],
                env={**os.environ, "top": str(PROGRAM.parents[2])}, check=False, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "", ""))
            self.assertEqual(pathlib.Path(folder, "log").read_text(encoding="utf-8"), "@1/2 one\nhere: two  words\n")

    def test_a_signal(self):
        self.assertEqual(self.run_program("kill -9 $$").returncode, 137)

    def test_on_a_terminal_it_is_one_line(self):
        terminal, end = pty.openpty()
        with subprocess.Popen([sys.executable, PROGRAM, "work", "sh", "-c",
                               "echo @1/2 one; echo @2/2 two; echo wrong"], stdout=end) as process:
            os.close(end)
            text = b""
            try:
                while block := os.read(terminal, 4096):
                    text += block
            except OSError:  # the other end is closed
                pass
            os.close(terminal)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(text.count(b"\n"), 1)
        self.assertIn(b"\r\x1b[Kwork: 2 of 2", text)
        self.assertIn(b"\r\x1b[Kwrong\r\n", text)


if __name__ == "__main__":
    unittest.main()
