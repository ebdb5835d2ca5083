#!/usr/bin/env python3
"""tbsctl on a terminal: colours for states, and tables that fit; neither in a pipe. The terminal is a pty.

TBSD and TBSCTL in the environment name the programs."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
import unicodedata
import unittest

import event_logs
import odd_logs
import software_tpms
import tbsctl_test
import wire
from tbsctl_test import DEADLINE, OK, TBSCTL, USAGE

GREEN, YELLOW, RED, PLAIN = (f"\x1b[{number}m" for number in (32, 33, 31, 0))
COLOUR = re.compile("\x1b\\[(?:0|31|32|33)m")


def on_terminal(*arguments, socket=None, columns=80, **variables):
    """Its exit code, and the text that came to a terminal of so many columns."""
    environment = {name: value for name, value in os.environ.items() if name not in ("TBS_SOCKET", "NO_COLOR")}
    environment.update({"TERM": "xterm-256color", **variables})
    if socket:
        environment["TBS_SOCKET"] = socket
    here, there = pty.openpty()
    try:
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([TBSCTL, *arguments], stdin=there, stdout=there, stderr=subprocess.DEVNULL,
                                   env=environment)
        os.close(there)
        text = b""
        try:
            while piece := os.read(here, 65536):
                text += piece
        except OSError:  # the other end is closed
            pass
        return process.wait(DEADLINE), text.decode().replace("\r\n", "\n")
    finally:
        os.close(here)


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Colours(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = tbsctl_test.Daemon("embedded", arguments=("--max-contexts", "4"))
        cls.addClassCleanup(cls.daemon.stop)
        cls.socket = cls.daemon.socket_for({})

    def piped(self, *arguments, **options):
        return tbsctl_test.run(*arguments, socket=self.socket, **options).out

    def test_a_state_is_green_yellow_or_red(self):
        _, text = on_terminal("status", socket=self.socket)
        self.assertIn(f"{GREEN}embedded (ready){PLAIN}\n", text)
        code, text = on_terminal("health", "--timeout", "30000", socket=self.socket)
        self.assertEqual((code, text.split(":")[0]), (OK, f"{GREEN}fine{PLAIN}"))
        # That of the probe may still be closing.
        software_tpms.eventually(lambda: json.loads(self.piped("--json", "status"))["contexts"] == 0)
        clients = [wire.Client(self.socket) for _ in range(4)]
        self.addCleanup(lambda: [client.close() for client in clients])
        _, text = on_terminal("health", "--timeout", "30000", socket=self.socket)
        self.assertTrue(text.startswith(f"{YELLOW}degraded{PLAIN}: "), text)
        _, text = on_terminal("limits", socket=self.socket, columns=200)
        self.assertRegex(text, r"(?m)^max-contexts +all +4 +\x1b\[33m4\x1b\[0m +-$")
        _, text = on_terminal("health", socket="/nonexistent/tbsd.sock")
        self.assertTrue(text.startswith(f"{RED}down{PLAIN}: "), text)

    def test_what_is_down_is_red(self):
        daemon = tbsctl_test.Daemon("/nonexistent/tpm0", wait=False)
        self.addCleanup(daemon.stop)
        software_tpms.eventually(
            lambda: f"{RED}/nonexistent/tpm0 (down){PLAIN}" in on_terminal("status", socket=daemon.socket)[1])
        _, text = on_terminal("doctor", socket=daemon.socket)
        self.assertIn(f"{RED}error{PLAIN}    ", text)

    def test_there_is_nothing_but_the_colours_more(self):
        for arguments in (("limits",), ("info",), ("pcr", "sha256"), ("policy", "explain", "12345", "TPM2_Clear")):
            # What is used changes while those before are closed.
            software_tpms.eventually(lambda arguments=arguments: COLOUR.sub("", on_terminal(
                *arguments, socket=self.socket, columns=1000)[1]) == self.piped(*arguments))
        _, text = on_terminal("policy", "explain", "12345", "TPM2_Clear")
        self.assertIn(f"{RED}blocked{PLAIN}", text)

    def test_no_colours_where_they_are_not_wanted(self):
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            _, text = on_terminal("status", socket=self.socket, **variables)
            self.assertNotIn("\x1b", text, variables)
            _, text = on_terminal("--color=always", "status", socket=self.socket, **variables)
            self.assertIn(GREEN, text, variables)
        # An empty one says nothing.
        self.assertIn(GREEN, on_terminal("status", socket=self.socket, NO_COLOR="")[1])
        for arguments in (("--color=never", "status"), ("--json", "status"), ("--json", "--color=always", "health"),
                          ("random", "8"), ("--help",), ("status", "--help")):
            self.assertNotIn("\x1b", on_terminal(*arguments, socket=self.socket)[1], arguments)

    def test_a_pipe_has_none_unless_asked_for(self):
        self.assertNotIn("\x1b", self.piped("status"))
        self.assertNotIn("\x1b", self.piped("--color=auto", "status"))
        self.assertIn(GREEN, self.piped("--color=always", "status"))
        self.assertIn(GREEN, self.piped("status", "--color", "always"))
        ran = tbsctl_test.run("--color=sometimes", "status", socket=self.socket)
        self.assertEqual(ran.code, USAGE, ran)
        self.assertIn("none of auto, always, never", ran.err)


class Fitting(unittest.TestCase):
    """What has letters of several bytes, wide ones, and lines of hundreds of columns: logs."""

    @classmethod
    def setUpClass(cls):
        log = event_logs.Log().usual()
        for text in ("Schlüssel " * 30, "鍵" * 100, "e\u0301" * 100, "x" * 300):
            log.measure(8, event_logs.EV_IPL, text.encode() + b"\0")
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(log.bytes)
        cls.log = ("log", "-f", file.name)
        cls.addClassCleanup(os.unlink, file.name)
        cls.whole = tbsctl_test.run(*cls.log).out

    def test_no_event_is_wider_than_the_terminal(self):
        for columns in (60, 80, 81, 82, 83, 84, 132, 200):
            code, text = on_terminal(*self.log, columns=columns)
            self.assertEqual(code, OK)
            events = COLOUR.sub("", text).split("\n\n")[0].splitlines()
            self.assertEqual(len(events), len(self.whole.split("\n\n")[0].splitlines()))
            for line in events:
                self.assertLessEqual(width(line), columns, line)
            self.assertIn("...", text)
            self.assertIn("鍵鍵鍵", text)

    def test_digests_stay_whole(self):
        pcrs = self.whole.split("\n\n")[1]
        self.assertGreater(max(map(width, pcrs.splitlines())), 60)
        _, text = on_terminal(*self.log, columns=60)
        self.assertEqual(COLOUR.sub("", text).split("\n\n")[1], pcrs)

    def test_a_pipe_and_a_wide_terminal_have_all(self):
        self.assertIn("x" * 100, self.whole)
        _, text = on_terminal(*self.log, columns=5000)
        self.assertEqual(COLOUR.sub("", text), self.whole)

    def test_odd_logs(self):
        for name, shape in odd_logs.shapes().items():
            with self.subTest(log=name), tempfile.NamedTemporaryFile() as file:
                file.write(shape.bytes)
                file.flush()
                _, text = on_terminal("log", "-f", file.name)
                for line in COLOUR.sub("", text).split("\n\n")[0].splitlines():
                    self.assertLessEqual(width(line), 80, line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
