#!/usr/bin/env python3
"""tbsctl log over logs of many shapes (odd_logs.py): each is read without harm, says what is in it,
and gives the PCRs that it says; those that tpm2_eventlog reads give the same there.

TBSCTL in the environment names the program."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
import unittest

import odd_logs

TBSCTL = os.environ["TBSCTL"]
DEADLINE = 120  # against hanging only
HARMFUL = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def run(*arguments):
    return subprocess.run([TBSCTL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)


def by_tpm2_tools(path):
    """What tpm2_eventlog makes of the log: how many events, and {(bank, pcr): hex}."""
    text = subprocess.run(["tpm2_eventlog", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True, timeout=DEADLINE).stdout.decode("utf-8", "replace")
    found, bank = {}, None
    for line in text.split("\npcrs:", 1)[-1].splitlines():
        if name := re.fullmatch(r"  (\w+):", line):
            bank = name[1]
        elif value := re.fullmatch(r"    (\d+) *: 0x([0-9a-f]+)", line):
            found[bank, int(value[1])] = value[2]
    return len(re.findall(r"^ *(?:- )?PCRIndex: ", text, re.MULTILINE)), found


def pcrs_of(decoded):
    return {(p["bank"], p["pcr"]): p["log"] for p in decoded["pcrs"]}


class OddLogs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-odd-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.shapes = odd_logs.shapes()
        for name, shape in cls.shapes.items():
            with open(os.path.join(cls.folder, name), "wb") as file:
                file.write(shape.bytes)

    def path(self, name):
        return os.path.join(self.folder, name)

    def harmless(self, printed):
        shown = printed.decode("utf-8")  # fails when it is no UTF-8
        self.assertEqual([c for c in shown if c != "\n" and unicodedata.category(c) in HARMFUL], [])

    def test_there_are_many(self):
        self.assertGreaterEqual(len(self.shapes), 60)

    def test_people_read_what_is_in_it(self):
        for name, shape in self.shapes.items():
            with self.subTest(log=name):
                ran = run("log", "-f", self.path(name))
                self.harmless(ran.stdout)
                self.harmless(ran.stderr)
                self.assertEqual(ran.returncode, 1 if shape.fault else 0, ran.stderr)
                if shape.fault:
                    self.assertIn(shape.fault, ran.stderr.decode())
                for text in shape.texts:
                    self.assertIn(text, ran.stdout.decode())

    def test_programs_get_the_pcrs(self):
        for name, shape in self.shapes.items():
            with self.subTest(log=name):
                ran = run("--json", "log", "-f", self.path(name))
                self.harmless(ran.stdout)
                pcrs = pcrs_of(json.loads(ran.stdout))
                if shape.pcrs is not None:
                    self.assertEqual(pcrs, {key: value.hex() for key, value in shape.pcrs.items()})

    @unittest.skipUnless(shutil.which("tpm2_eventlog"), "tpm2-tools are not installed")
    def test_tpm2_eventlog_agrees(self):
        compared = {name: shape for name, shape in self.shapes.items() if shape.tools}
        self.assertGreaterEqual(len(compared), 10)
        for name in compared:
            with self.subTest(log=name):
                decoded = json.loads(run("--json", "log", "-f", self.path(name)).stdout)
                self.assertEqual((len(decoded["events"]), pcrs_of(decoded)), by_tpm2_tools(self.path(name)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
