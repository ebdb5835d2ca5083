#!/usr/bin/env python3
"""docs/questions.md: each command of its table runs on a real daemon and gives the answer that the table promises, and
what it says of tpm2-tools can be run, too.

TBSD, TBSCTL and PAGE (docs/questions.md) in the environment name what is tested."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import event_logs
import software_tpms
import tbsctl_test
import wire
from tbsctl_test import DEADLINE, TBSCTL

FINDING = r"(?m)^(fine|note|warning|error|unseen) +\w+ +\S"
MANY_COLUMNS = r"(?m)^ *CONTEXT +USER +PID +PROGRAM +PRIORITY +QUEUED +BYTES +SUBMITTED +STATE +RUNNING$"
# What is in the answer to each command, in this order.
ANSWERS = {
    "tbsctl health": [r"\A(fine|degraded|down): .*\n\Z"],
    "tbsctl doctor": [FINDING, r"\d+ errors, \d+ warnings"],
    "tbsctl info": [r"Manufacturer: +\S", r"Firmware version: +\d", r"PCR banks: +\S", r"Interface: +\S"],
    "tbsctl status": [r"Version: +\d", r"Up for: +\d", r"Device: +\S+ \(ready\)", r"Commands answered: +\d"],
    "tbsctl contexts": [MANY_COLUMNS, r"(?m)^ +\d+ +\S+ +\d+ +python3\S* "],
    "tbsctl contexts --sort running": [MANY_COLUMNS, r"(?m) running +\S+ for \d+(\.\d)? (us|ms|s)$"],
    "tbsctl contexts 17": [r"Holds: +1\n", r"(?m)^0x[0-9A-F]{8}  sequence +\S"],
    "tbsctl cancel 17": [r"Cancelled what context \d+ had outstanding"],
    "tbsctl limits": [r"LIMIT +FOR EACH +AT MOST +USED +BY\n", r"(?m)^max-contexts +all +\d+ +\d+ +-$",
                      r"(?m)^max-contexts-per-user +user +\d+ +\d+ +\S+$"],
    "tbsctl lockout": [r"TPM's counter: +\d+ of \d+", r"Decreases by one in: +\d", r"Lockout after: +\d+ failures"],
    "tbsctl events": [r"(?m)^\d{4}-\d\d-\d\d \S+  device-ready: \S"],
    "tbsctl policy explain nobody TPM2_Clear": [r"Clear: blocked \(", r"(?m)^rule: ", r"(?m)^decided by: "],
    "tbsctl policy check": [r": \d+ rules with those of profile \w+"],
    "tbsctl capture --count 1": [r"  context \d+  python3\S*  GetRandom  TPM_RC_SUCCESS  \d+"],
    "tbsctl explain 0x922": [r"TPM_RC_RETRY", r"Meaning: +\S", r"Usual cause: +\S", r"What to do: +\S"],
    "tbsctl explain 80010000000c0000017b0010": [r"TPM2_GetRandom, a command of TPM 2.0", r"bytesRequested +0010 +16"],
    "tbsctl log": [r"EVENT +PCR +TYPE +WHAT\n", r"SecureBoot: on", r"BANK +PCR +EXPECTED FROM LOG +TPM\n", r" earlier\n",
                   r"of the TPM has not seen event \d+"],
    "tbsctl pcr sha256:7": [r"(?m)^sha256 +7 +[0-9a-f]{64}$"],
    "tbsctl id": [r"\A[0-9a-f]{64}\n\Z"],
    "tbsctl ppi": [r"Pending operation: +none", r"Last operation: +clear \(5\)", r"Result: +\w"],
}
# They end otherwise when there is something to say; so does a probe whose second is over.
TELLING = {"tbsctl doctor", "tbsctl health", "tbsctl policy explain nobody TPM2_Clear", "tbsctl log"}


def rows():
    """The cells of the table's rows."""
    with open(os.environ["PAGE"], encoding="utf-8") as file:
        table = re.search(r"(?m)^\|---.*\n((?:\|.*\n)+)", file.read())[1]
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table.splitlines()]


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-questions-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        presence, cls.rules = (os.path.join(cls.folder, name) for name in ("ppi", "policy.d"))
        os.mkdir(presence)
        os.mkdir(cls.rules)
        for name, text in (("version", "1.3\n"), ("request", "0\n"), ("transition_action", "2: Reboot\n"),
                           ("response", "5 0x0: Success\n")):
            with open(os.path.join(presence, name), "w", encoding="ascii") as file:
                file.write(text)
        log = os.path.join(cls.folder, "log")
        with open(log, "wb") as file:
            file.write(event_logs.Log().usual().bytes)
        cls.daemon = tbsctl_test.Daemon("embedded", arguments=("--ppi", presence, "--event-log", log))
        cls.addClassCleanup(cls.daemon.stop)

    def setUp(self):
        self.client = self.new_client()

    def new_client(self):
        client = wire.Client(self.daemon.socket_for({}))
        self.addCleanup(client.close)
        return client

    def running_command(self):
        """One whose time limit, ten minutes, is longer than this takes."""
        def state():
            ran = tbsctl_test.run("--json", "contexts", str(self.client.number), socket=self.daemon.socket_for({}))
            return json.loads(ran.out)["state"]

        return software_tpms.with_a_running_command(
            software_tpms.children_of(self.daemon.process.pid)[0],
            lambda: self.client.begin(wire.create_rsa_key(1)), state, self.client.result)

    def answer(self, command):
        words = shlex.split(command)
        self.assertEqual(words.pop(0), "tbsctl")
        if words[-1] == "17":
            client = self.new_client()
            client.begin(wire.hash_sequence_start())
            self.assertEqual(client.result()[1], wire.SUCCESS)
            words[-1] = str(client.number)
        if words[0] == "policy":
            words += ["--dir", self.rules]
        if words[0] == "capture":
            return self.capture(words)
        if words[-1] == "running":
            with self.running_command():
                return self.run_words(words, command)
        return self.run_words(words, command)

    def run_words(self, words, command):
        ran = tbsctl_test.run(*words, socket=self.daemon.socket_for({}))
        if command not in TELLING:
            self.assertEqual(ran.code, tbsctl_test.OK, ran)
        return ran.out + ran.err

    def capture(self, words):
        socket = self.daemon.socket_for({})
        process = subprocess.Popen([TBSCTL, "--socket", socket, *words], stdout=subprocess.PIPE)
        try:
            software_tpms.eventually(
                lambda: tbsctl_test.run("events", "--event", "capture", socket=socket).out)
            self.client.begin(wire.get_random(4))
            self.client.result()
            return process.communicate(timeout=DEADLINE)[0].decode()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    @unittest.skipUnless(os.getuid() == 0, "needs root to be an administrator")
    def test_each_command_gives_its_answer(self):
        commands = [re.fullmatch(r"`(.*)`", cells[1])[1] for cells in rows()]
        self.assertEqual(len(commands), 20)
        self.assertEqual(set(commands), set(ANSWERS))
        for command in commands:
            with self.subTest(command=command):
                if command == "tbsctl info":  # what a TPM that is slow does not tell in its time is unknown
                    software_tpms.eventually(lambda: "unknown" not in self.answer("tbsctl info"))
                said = self.answer(command)
                for pattern in ANSWERS[command]:
                    found = re.search(pattern, said)
                    self.assertTrue(found, f"{pattern}: {said}")
                    said = said[found.start():]

    def test_the_table_is_whole(self):
        for cells in rows():
            self.assertEqual(len(cells), 6, cells)
            self.assertTrue(all(cells), cells)
            self.assertTrue(cells[0].endswith("?"), cells)


@unittest.skipUnless(shutil.which("swtpm") and shutil.which("tpm2_getcap"), "needs swtpm and tpm2-tools")
class OfTpm2Tools(unittest.TestCase):
    def test_what_is_said_of_them_can_be_run(self):
        folder = tempfile.mkdtemp(prefix="tbsctl-questions-")
        self.addCleanup(shutil.rmtree, folder)
        swtpm = software_tpms.Swtpm(folder)
        self.addCleanup(swtpm.stop)
        log = os.path.join(folder, "log")
        with open(log, "wb") as file:
            file.write(event_logs.Log().usual().bytes)
        environment = {**os.environ, "TPM2TOOLS_TCTI": swtpm.device}
        subprocess.run(["tpm2_startup", "-c"], env=environment, check=True, timeout=DEADLINE)
        commands = {command for cells in rows() for command in re.findall(r"`(tpm2_[^`]*)`", cells[5])}
        self.assertGreater(len(commands), 5)
        for command in commands:
            words = shlex.split(command) + ([log] if command == "tpm2_eventlog" else [])
            with self.subTest(command=command):
                ran = subprocess.run(words, env=environment, capture_output=True, timeout=DEADLINE, check=False)
                self.assertEqual(ran.returncode, 0, ran.stderr)
                if command != "tpm2_getcap handles-transient":  # there is none
                    self.assertTrue(ran.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
